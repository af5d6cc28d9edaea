"""Fetch a published set: resumed where a connection broke, and checked file by file.

All that comes is written aside, into ``.fetch`` in the set's folder, and a file gets its place and name only
when its sha256 is that of the manifest.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from leadwise.errors import FetchError
from leadwise.files import sha256
from leadwise.sets.sources import Source, Verdict, Wanted, verify
from leadwise.sets.unpack import ASIDE, unpack

if TYPE_CHECKING:
    import requests

Tell = Callable[[str, int, int | None], None]
"""Is given what comes now, how many bytes are here, and how many there will be, where that is known."""

PAUSE_S = 1.0
"""Before the first new try after a cut; the second waits twice as long, and so on."""

_TRIES = 5  # after the last one that brought something
_TIMEOUT_S = (8, 30)  # to connect, to wait for the next bytes
_PIECE = 1 << 14  # what a cut can lose at most
_ROOM = 3  # an archive and all it unpacks to may be so many times the set; a zip in a zip makes two


def fetch(source: Source, folder: Path, tell: Tell = lambda _name, _done, _total: None) -> Verdict:
    """Bring what is missing or differs in `folder`; return what is there in the end.

    Files that are right already are not fetched again, those that differ are replaced by the right ones.
    A download that breaks goes on where it was, in this call or in the next. Raises `FetchError` where no
    address gives the set.
    """
    before = verify(folder, source)
    lacking = {path: source.files[path] for path in before.lacking}
    if not lacking:
        return before
    wrong: set[str] = set()
    reasons = []
    bring = _bring_zip if source.zipped else _bring_files
    aside = folder / ASIDE
    try:
        with _session() as session:
            aside.mkdir(parents=True, exist_ok=True)
            for address in source.addresses:
                try:
                    wrong |= bring(session, source, address, folder, lacking, tell)
                except FetchError as error:
                    reasons.append(f"{address}: {error}")
                if not lacking:
                    break
        if not lacking or not any(path.is_file() for path in aside.rglob("*")):
            shutil.rmtree(aside)
    except OSError as error:
        why = error.strerror or error
        raise FetchError(
            f"{folder}: cannot be written ({why}). Make room there, or name another folder with --to."
        ) from error
    if reasons and lacking.keys() - wrong:
        raise FetchError(
            f"{source.title}: {len(lacking)} of {len(source.files)} files could not be fetched (tried "
            f"{'; '.join(reasons)}); try again later, when it goes on where it was, or download the set by "
            f"hand from {source.page} and check it with: leadwise fetch --verify FOLDER"
        )
    return Verdict(
        right=tuple(path for path in source.files if path not in lacking),
        differs=tuple(path for path in lacking if path in wrong),
        missing=tuple(path for path in lacking if path not in wrong),
        extra=before.extra,
    )


def _bring_zip(
    session: requests.Session,
    source: Source,
    address: str,
    folder: Path,
    lacking: dict[str, Wanted],
    tell: Tell,
) -> set[str]:
    """Strike off `lacking` what the zip at an address holds of it; return what came with another content."""
    room = _ROOM * sum(wanted.bytes for wanted in source.files.values()) + _PIECE
    archive = folder / ASIDE / f"{source.name}-{source.addresses.index(address) + 1}.zip"
    for done, total in _download(session, address, archive):
        tell(archive.name, done, total)
        if max(done, total or 0) > room:
            _discard(archive)
            raise FetchError(f"it has more than the {room:,} bytes that it can have")
    try:
        wrong = unpack(archive, folder, lacking, room)
    except FetchError:  # for any other reason, a full disk say, it is kept
        _discard(archive)
        raise
    _discard(archive)
    return wrong


def _bring_files(
    session: requests.Session, _: Source, address: str, folder: Path, lacking: dict[str, Wanted], tell: Tell
) -> set[str]:
    """The same of the files below an address, one by one."""
    wrong, came, whole = set(), 0, sum(wanted.bytes for wanted in lacking.values())
    for path, wanted in list(lacking.items()):
        part = folder / ASIDE / path
        for done, _total in _download(session, address + path, part):
            tell(path, came + done, whole)
            if done > wanted.bytes:
                break
        came += part.stat().st_size
        if sha256(part) != wanted.sha256:
            _discard(part)
            wrong.add(path)
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        part.replace(folder / path)
        _discard(part)
        del lacking[path]
    return wrong


def _session() -> requests.Session:
    try:
        import requests
    except ModuleNotFoundError as error:
        raise FetchError("requests is not installed. Install it: pip install 'leadwise[data]'") from error
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"  # so that a range is one of the file's own bytes
    return session


def _download(session: requests.Session, url: str, part: Path) -> Iterator[tuple[int, int | None]]:
    """Fetch to `part`, and go on where a connection broke or an earlier download ended.

    Gives how many bytes are here and how many there will be, where that is known, as they come.
    """
    import requests

    part.parent.mkdir(parents=True, exist_ok=True)
    began = longest = _size(part)
    failed = 0
    while True:
        try:
            yield from _go_on(session, url, part)
        except requests.RequestException as error:
            failed = failed + 1 if _size(part) <= longest else 1
            longest = max(longest, _size(part))
            # where nothing came there is no network, and waiting does not bring it
            if failed >= (_TRIES if longest > began else 2):
                raise FetchError(_reason(error)) from error
            time.sleep(PAUSE_S * failed)
        else:
            return


def _go_on(session: requests.Session, url: str, part: Path) -> Iterator[tuple[int, int | None]]:
    """Ask once for what `part` lacks, and write it there as it comes."""
    import requests

    have = _size(part)
    tag = _tag_of(part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    if have and tag.is_file():
        headers["If-Range"] = tag.read_text(encoding="utf-8")  # another version comes from its beginning
    with session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
        if have and response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # it was whole, and the computer stopped before it got its name; its sum will tell
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            have = 0
            tag.unlink(missing_ok=True)
            if (version := response.headers.get("ETag", "")).startswith('"'):  # a weak one serves no range
                tag.write_text(version, encoding="utf-8")
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _discard(part)
            raise requests.exceptions.ChunkedEncodingError
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        with part.open("ab" if have else "wb") as into:
            for piece in response.iter_content(_PIECE):
                have += len(piece)
                into.write(piece)
                yield have, total


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _tag_of(part: Path) -> Path:
    """Where the version of a begun download is noted, as the server names it."""
    return part.with_name(f"{part.name}.tag")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_of(part).unlink(missing_ok=True)


def _reason(error: requests.RequestException) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"it answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "no connection" if type(error) is requests.ConnectionError else "the connection was cut"
