"""Fetch a published set: resumed where a connection broke, and checked file by file.

All that comes is written aside, into ``.fetch`` in the set's folder, and a file gets its place and name only
when its sha256 is that of the manifest.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leadwise.errors import FetchError
from leadwise.sets.sources import Source, Verdict, Wanted, verify
from leadwise.sets.unpack import ASIDE, unpack

if TYPE_CHECKING:
    import requests

Tell = Callable[[str, int, int | None], None]
"""Is given what comes now, how many bytes are here, and how many there will be, where that is known."""

TellSize = Callable[[int, int | None], None]

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
    if not before.lacking:
        return before
    fetching = _Fetching(source, folder, {path: source.files[path] for path in before.lacking}, tell)
    lacking, wrong = fetching.lacking, fetching.wrong
    try:
        reasons = fetching.bring()
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


class _Differs(FetchError):
    """Another content than the manifest's, or more bytes than there can be."""


class _Fetching:
    """One call of `fetch`: what is still lacking, and what came with another content."""

    def __init__(self, source: Source, folder: Path, lacking: dict[str, Wanted], tell: Tell) -> None:
        self.source, self.folder, self.lacking, self.tell = source, folder, lacking, tell
        self.aside = folder / ASIDE
        self.wrong: set[str] = set()
        self.came: dict[str, int] = {}
        self.total = None if source.zipped else sum(wanted.bytes for wanted in lacking.values())

    def bring(self) -> list[str]:
        """Ask one address after the other until nothing is lacking; return why some gave nothing."""
        reasons = []
        bring = self._bring_zip if self.source.zipped else self._bring_files
        with _session() as session:
            self.aside.mkdir(parents=True, exist_ok=True)
            for address in self.source.addresses:
                try:
                    bring(session, address)
                except FetchError as error:
                    reasons.append(f"{address}: {error}")
                if not self.lacking:
                    break
        if not self.lacking or not any(self.aside.iterdir()):
            shutil.rmtree(self.aside)
        return reasons

    def _bring_zip(self, session: requests.Session, address: str) -> None:
        room = _ROOM * sum(wanted.bytes for wanted in self.source.files.values()) + _PIECE
        archive = self.aside / f"{self.source.name}-{self.source.addresses.index(address) + 1}.zip"
        try:
            self._retrieve(session, address, archive, None, room)
            self.wrong |= unpack(archive, self.folder, self.lacking, room)
        except FetchError:  # for any other reason, a full disk say, it is kept
            archive.unlink(missing_ok=True)
            raise
        archive.unlink()

    def _bring_files(self, session: requests.Session, address: str) -> None:
        for path, wanted in list(self.lacking.items()):
            try:
                self._retrieve(session, address + path, self.aside / path, wanted.sha256, wanted.bytes)
            except _Differs:
                self.wrong.add(path)
                continue
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.aside / path).replace(self.folder / path)
            del self.lacking[path]

    def _retrieve(
        self, session: requests.Session, url: str, path: Path, known: str | None, limit: int
    ) -> None:
        """Let pooch fetch one file to `path` and check its sum, where one is known."""
        import pooch

        def tell(done: int, total: int | None) -> None:
            self.came[path.name] = done
            self.tell(path.name, sum(self.came.values()), self.total or total)

        def downloader(url: str, output: str, _pooch: object) -> None:
            part = path.with_name(f"{path.name}.part")
            _download(session, url, part, limit, tell)
            part.replace(output)
            _tag_of(part).unlink(missing_ok=True)

        try:
            pooch.retrieve(url, known, fname=path.name, path=path.parent, downloader=downloader)
        except ValueError as error:  # its word for another sum
            raise _Differs(f"{path.name}: {error}") from error


def _session() -> requests.Session:
    try:
        import pooch
        import requests
    except ModuleNotFoundError as error:
        raise FetchError("pooch is not installed. Install it: pip install 'leadwise[data]'") from error
    pooch.get_logger().setLevel("WARNING")  # it would print the sum of each archive
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"  # so that a range is one of the file's own bytes
    return session


def _download(session: requests.Session, url: str, part: Path, limit: int, tell: TellSize) -> None:
    """Fetch to `part`, and go on where a connection broke or an earlier download ended."""
    import requests

    began = longest = _size(part)
    failed = 0
    while True:
        try:
            return _go_on(session, url, part, limit, tell)
        except requests.RequestException as error:
            failed = failed + 1 if _size(part) <= longest else 1
            longest = max(longest, _size(part))
            # where nothing came there is no network, and waiting does not bring it
            if failed >= (_TRIES if longest > began else 2):
                raise FetchError(_reason(error)) from error
            time.sleep(PAUSE_S * failed)


def _go_on(session: requests.Session, url: str, part: Path, limit: int, tell: TellSize) -> None:
    """Ask once for what `part` lacks, and write it there as it comes."""
    import requests

    have, tag = _size(part), _tag_of(part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    if have and tag.is_file():
        headers["If-Range"] = tag.read_text(encoding="utf-8")  # another version comes from its beginning
    with session.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
        total = _checked_total(response, part, have)
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # it was whole, and the computer stopped before it got its name
        if response.status_code != requests.codes.partial_content:
            have = 0
            tag.unlink(missing_ok=True)
            if (version := response.headers.get("ETag", "")).startswith('"'):  # a weak one serves no range
                tag.write_text(version, encoding="utf-8")
        with part.open("ab" if have else "wb") as into:
            for piece in response.iter_content(_PIECE):
                have += len(piece)
                if max(have, total or 0) > limit:
                    break
                into.write(piece)
                tell(have, total)
    if max(have, total or 0) > limit:
        part.unlink()
        tag.unlink(missing_ok=True)
        raise _Differs(f"it has more than the {limit:,} bytes that it can have")
    if total is not None and have < total:
        raise requests.exceptions.ChunkedEncodingError


def _checked_total(response: requests.Response, part: Path, have: int) -> int | None:
    """How many bytes the whole file has, if the answer says so; raises where it does not follow `part`."""
    import requests

    told = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", ""))
    follows = {requests.codes.partial_content: 1, requests.codes.requested_range_not_satisfiable: 2}
    group = follows.get(response.status_code)
    if group and (not told or told[group] != str(have)):
        part.unlink(missing_ok=True)
        raise requests.exceptions.ChunkedEncodingError
    if group:
        return int(told[2]) if told and told[2] != "*" else None
    response.raise_for_status()
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _tag_of(part: Path) -> Path:
    """Where the version of a begun download is noted, as the server names it."""
    return part.with_name(f"{part.name}.tag")


def _reason(error: requests.RequestException) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"it answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "no connection" if type(error) is requests.ConnectionError else "the connection was cut"
