"""Why a record cannot become a typed one."""

from .records import RejectReason


class RejectedError(Exception):
    """The record becomes a dead letter; `detail` names the field, never its content."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        self.reason: RejectReason = reason
        self.detail = detail
