"""`streamrec model`: the life of an artifact from the folder it was trained into to the workers that serve it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..terminal.printable import printable
from .model_check import check
from .model_export import export
from .options import folder_argument, json_option

if TYPE_CHECKING:
    from ..errors import ArtifactError
    from ..models.manifest import Manifest
    from ..models.rollout import Rollout
    from ..models.store import ModelStore

store_option = click.option(
    "--store", "store", type=click.Path(path_type=Path), metavar="DIR", help="Model store (STREAMREC_MODEL_DIR)."
)
key_option = click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ed25519 private key, PEM: sign what workers take from STREAMREC_MODEL_URI.",
)
reason_option = click.option("--reason", default="", help="For those who read it later.")


@click.group()
def model() -> None:
    r"""Sign, add, promote and roll back models.

    A store is a folder: artifacts by version, and rollout.json, which says who serves. Workers whose
    STREAMREC_MODEL_DIR is the store look every STREAMREC_MODEL_POLL_S seconds and take over without a restart.

    \b
    streamrec model sign --key private.pem model
    streamrec model add model --store models
    streamrec model promote 3f2a91c07b5e --canary 5 --store models
    streamrec model promote 3f2a91c07b5e --store models
    streamrec model rollback --reason "fewer opens" --store models
    """


model.add_command(export)
model.add_command(check)


@model.command()
@folder_argument
@click.option("--key", type=click.Path(exists=True, path_type=Path), required=True, help="Ed25519 private key, PEM.")
def sign(folder: Path, key: Path) -> None:
    r"""Sign an artifact folder, so that workers that ask for it know who made it.

    \b
    openssl genpkey -algorithm ed25519 -out private.pem
    openssl pkey -in private.pem -pubout -out public.pem

    Workers get the public key: STREAMREC_MODEL_PUBLIC_KEY=public.pem. Of a store, sign who serves, as it is now: once,
    when keys come into use; from then on `promote` and `rollback` take --key.
    """
    from ..clock import now_ms
    from ..models.artifact import load
    from ..models.rollout import restated
    from ..models.signature import sign as write_signature
    from ..models.store import ModelStore, is_store

    if is_store(folder):
        _told(ModelStore(folder).publish(restated, now_ms(), key))
        return
    manifest = load(folder).manifest
    write_signature(folder, key)
    click.echo(printable(f"signed {manifest.name} {manifest.version}"))


@model.command()
@folder_argument
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Check an artifact folder as a worker would: hashes, signature, numbers, and admission on this machine.

    The signature is asked for if STREAMREC_MODEL_PUBLIC_KEY is set. Whether its vector space is that of the readers'
    profiles is a question for the workers, and is asked there.
    """
    from ..engine.features.fingerprint import fingerprint
    from ..models.artifact import manifest_of
    from ..models.ranker import load_ranker
    from ..settings import load
    from ..terminal.tables import show_json

    settings, space_id = load(), manifest_of(folder).space_id
    ranker = load_ranker(folder, settings.engine, space_id, fingerprint(), settings.model_public_key)
    signed = "signature good" if settings.model_public_key else "signature not asked for"
    told = {"version": ranker.stamp.version, "engine": ranker.stamp.engine, "space_id": space_id}
    told |= {"signature": signed, "verdict": ranker.admission.verdict, "chosen": _engine(ranker.manifest)}
    if as_json:
        show_json(told)
    else:
        made = f"; where it was made: {_engine(ranker.manifest)}" if ranker.manifest.engine else ""
        told_now = f"{ranker.stamp.name} {ranker.stamp.version}: {signed}; {ranker.admission.verdict}{made}"
        click.echo(printable(told_now, None))


@model.command()
@folder_argument
@store_option
def add(folder: Path, store: Path | None) -> None:
    """Copy an artifact folder into the store, which is made if need be. Nothing serves it until it is promoted.

    Of a version that is there already, a file that is damaged or a signature that is new is replaced.
    """
    from ..settings import load

    home = _store(store, is_made=True)
    manifest = home.add(folder, load().model_public_key)
    told = f"{manifest.name} {manifest.version} is in {home.folder}; next: streamrec model promote"
    click.echo(printable(told, None))


@model.command("list")
@store_option
@json_option
def list_(store: Path | None, as_json: bool) -> None:
    """Show the store's versions, who serves, and why the last change was made."""
    import msgspec

    from ..terminal.tables import show_json

    home = _store(store)
    rollout, found = home.rollout(), home.versions()
    if as_json:
        versions = [_facts(version, manifest, rollout) for version, manifest in found.items()]
        show_json({"rollout": msgspec.to_builtins(rollout), "versions": versions})
    else:
        _show(found, rollout)


@model.command()
@click.argument("version")
@click.option("--canary", "percent", type=int, metavar="PERCENT", help="Only this share of the users, by hash.")
@reason_option
@key_option
@store_option
def promote(version: str, percent: int | None, reason: str, key: Path | None, store: Path | None) -> None:
    """Let a version serve everybody, or a share of the users beside the stable one.

    A canary is compared with stable on its own users' articles while it serves, and rolled back by the workers if
    parity, latency, send rate or score distribution leave their limits (the STREAMREC_CANARY_ settings). A version of
    another vector space is refused here: that is a migration (`streamrec migrate`). So is one of another interest
    half-life than STREAMREC_INTEREST_HALF_LIFE_H says here.
    """
    from ..clock import now_iso, now_ms
    from ..models import rollout as moves
    from ..settings import load

    home, settings = _store(store), load()
    home.check_fit(version, settings.model_public_key, settings.interest_half_life_h)
    at, why = now_iso(), reason or "promoted by hand"
    _told(
        home.publish(
            lambda rollout: (
                moves.promote(rollout, version, at, why)
                if percent is None
                else moves.try_out(rollout, version, percent, at, why)
            ),
            now_ms(),
            key,
        )
    )


@model.command()
@reason_option
@key_option
@store_option
def rollback(reason: str, key: Path | None, store: Path | None) -> None:
    """Take the canary back; where there is none, let the version before the stable one serve again.

    That one is checked first, as `promote` does, its interest half-life too: workers that refuse it would go on with
    the one to be rid of.
    """
    from ..clock import now_iso, now_ms
    from ..settings import load

    home, settings, why = _store(store), load(), reason or "rolled back by hand"
    half_life_h = settings.interest_half_life_h
    _told(home.roll_back(now_iso(), why, settings.model_public_key, half_life_h, at_ms=now_ms(), key=key))


def _store(folder: Path | None, *, is_made: bool = False) -> "ModelStore":
    """The store that is named. SettingsError where there is none, unless the command makes it."""
    from ..errors import SettingsError
    from ..models.artifact import MANIFEST
    from ..models.store import ModelStore
    from ..settings import load

    home = folder or load().model_dir
    if home is None:
        raise SettingsError("no store is named; give --store DIR or set STREAMREC_MODEL_DIR")
    if (home / MANIFEST).exists():
        raise SettingsError(f"{home} is one artifact, expected a store: name another folder, then add this one to it")
    if not is_made and not home.is_dir():
        raise SettingsError(f"there is no model store at {home}; `streamrec model add DIR --store {home}` makes one")
    return ModelStore(home)


def _told(rollout: "Rollout") -> None:
    canary = f", canary {rollout.canary} for {rollout.canary_percent} %" if rollout.canary else ""
    from ..settings import load

    signed = ", signed" if rollout.signature else ""
    told = f"stable {rollout.stable}{canary}{signed}; workers follow within their STREAMREC_MODEL_POLL_S"
    click.echo(printable(told))
    if load().model_public_key is not None and not signed:
        told = "not signed: workers with a public key do not take it from a STREAMREC_MODEL_URI; give --key FILE"
        click.echo(told, err=True)


def _roles(version: str, rollout: "Rollout") -> str:
    roles = {"stable": rollout.stable, f"canary {rollout.canary_percent} %": rollout.canary}
    roles["previous"] = rollout.previous
    return ", ".join(role for role, holder in roles.items() if holder == version)


def _engine(manifest: "Manifest") -> str:
    """Which engine won where the model was made, and how fast it was; empty: not recorded."""
    return manifest.engine.says(manifest.recipe) if manifest.engine else ""


def _facts(version: str, manifest: "Manifest | ArtifactError", rollout: "Rollout") -> dict[str, Any]:
    from ..errors import ArtifactError

    role = _roles(version, rollout)
    if isinstance(manifest, ArtifactError):
        return {"version": version, "role": role, "damaged": str(manifest)}
    auc = manifest.metrics.get("auc")
    return {
        "version": version,
        "role": role,
        "name": manifest.name,
        "space_id": manifest.space_id,
        "sizes": list(manifest.sizes),
        "auc": auc.value if auc else None,
        "created_at": manifest.created_at,
        "engine": _engine(manifest),
    }


def _show(found: "Mapping[str, Manifest | ArtifactError]", rollout: "Rollout") -> None:
    from ..terminal.tables import grid, show

    table = grid("version", "role", "name", "space", "sizes", "AUC", "made", "engine where it was made")
    shown: dict[str, Callable[[Any], str]] = {
        "sizes": lambda sizes: "-".join(map(str, sizes)),
        "auc": lambda auc: "" if auc is None else f"{auc:.4f}",
        "created_at": lambda at: at[:16],
    }
    for version, manifest in found.items():
        facts = _facts(version, manifest, rollout)
        table.add_row(*(shown.get(name, str)(value) for name, value in facts.items()))
    show(table if found else "no versions yet: `streamrec model add DIR`")
    if rollout.reason:
        signed = " and signed" if rollout.signature else ""
        click.echo(printable(f"last change {rollout.changed_at}, numbered {rollout.serial}{signed}: {rollout.reason}"))
