"""The state of a partition from its log, and what becomes of a cursor that lies beyond the end of one."""
