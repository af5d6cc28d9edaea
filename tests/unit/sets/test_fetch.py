"""Public sets are fetched whole and checked, over bad connections and from bad archives."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import random
import stat
import sys
import threading
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from leadwise import cli
from leadwise.errors import FetchError, MissingInput
from leadwise.sets import fetch as fetching
from leadwise.sets import sources
from leadwise.sets.fetch import fetch
from leadwise.sets.sources import SOURCES, Source, recognised, verify
from leadwise.sets.unpack import unpack

PIECE = 1 << 14  # connections are cut at whole ones: the begun one is lost
RANDOM = random.Random(7)
PAGES = {
    "MI patients (2x12=24)/MI(1).jpg": RANDOM.randbytes(300_000),
    "MI patients (2x12=24)/MI(2).jpg": RANDOM.randbytes(200_000),
    "Normal (1x12=12)/Normal(1).jpg": RANDOM.randbytes(100_000),
}
SIGNALS = {"100.dat": RANDOM.randbytes(400_000), "100.hea": b"100 2 360 650000\n", "100.atr": b"\x12\x70"}


@dataclass
class Server:
    """A server on this machine: what it has, after how many bytes it hangs up, and what it was asked."""

    address: str = ""
    has: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    etag: str = '"first"'
    asked: list[tuple[str, str | None, int]] = field(default_factory=list)
    """Path, the wanted range, and how many bytes were sent."""


@pytest.fixture
def server() -> Iterator[Server]:
    it = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = it.has.get(self.path)
            if content is None:
                self.send_error(404)
                return
            wanted = self.headers["Range"]
            same = self.headers["If-Range"] in {None, it.etag}
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and same else 0
            body = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", it.etag)
            self.end_headers()
            sent = body[: it.cuts.pop(0)] if it.cuts else body
            it.asked.append((self.path, wanted, len(sent)))
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        it.address = f"http://127.0.0.1:{http.server_port}/"
        yield it
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSE_S", 0)
    monkeypatch.setenv("no_proxy", "*")


def source(folder: Path, files: dict[str, bytes], *addresses: str, zipped: bool = True) -> Source:
    manifest = folder / "manifest.csv"
    with manifest.open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["path", "sha256", "bytes"])
        rows.writerows((path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in files.items())
    return Source("made", "A made set", "https://example.org/set", addresses, zipped, manifest)


def zipped(files: dict[str, bytes], under: str = "", method: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(under + path, data)
    return packed.getvalue()


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def there(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_the_folders_of_an_archive_stand_right_below_the_target(server: Server, tmp_path: Path) -> None:
    server.has["/set.zip"] = zipped(PAGES, under="The whole set/")
    told: list[tuple[str, int, int | None]] = []
    made = source(tmp_path, PAGES, f"{server.address}set.zip")
    verdict = fetch(made, tmp_path / "to", lambda *now: told.append(now))
    assert not verdict.lacking
    assert there(tmp_path / "to") == PAGES
    assert told[-1][1:] == (len(server.has["/set.zip"]),) * 2
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    server.has = {f"/{path}": data for path, data in SIGNALS.items()}
    made = source(tmp_path, SIGNALS, server.address, zipped=False)
    folder = written(tmp_path / "to", {**SIGNALS, "100.hea": b"other\n"})
    assert not fetch(made, folder).lacking
    assert not fetch(made, folder).lacking
    assert [path for path, _, _ in server.asked] == ["/100.hea"]
    assert there(folder) == SIGNALS


@pytest.mark.parametrize("zip_it", [True, False])
def test_a_cut_download_goes_on_where_it_was(zip_it: bool, server: Server, tmp_path: Path) -> None:
    files = PAGES if zip_it else {"100.dat": SIGNALS["100.dat"]}
    whole = zipped(PAGES) if zip_it else SIGNALS["100.dat"]
    server.has[path := "/set.zip" if zip_it else "/100.dat"] = whole
    server.cuts = [12 * PIECE, 6 * PIECE]
    address = server.address + ("set.zip" if zip_it else "")
    assert not fetch(source(tmp_path, files, address, zipped=zip_it), tmp_path / "to").lacking
    assert there(tmp_path / "to") == files
    (_, first, _), (_, second, _), (_, third, rest) = server.asked
    assert (first, second) == (None, f"bytes={12 * PIECE}-")
    assert third == f"bytes={len(whole) - rest}-"
    assert sum(sent for _, _, sent in server.asked) == len(whole), f"{path} came more than once"


@pytest.mark.parametrize("version", ['"first"', '"second"'])
def test_a_second_call_goes_on_where_the_first_gave_up_unless_the_server_has_another_version(
    version: str, server: Server, tmp_path: Path
) -> None:
    server.has["/set.zip"] = zipped(PAGES, under="first/")
    server.cuts = [9 * PIECE] + [0] * 4
    made = source(tmp_path, PAGES, f"{server.address}set.zip")
    with pytest.raises(FetchError, match=r"3 of 3 files .* the connection was cut"):
        fetch(made, tmp_path / "to")
    server.has["/set.zip"], server.etag = zipped(PAGES, under=f"{version[1:-1]}/"), version
    server.asked.clear()
    assert not fetch(made, tmp_path / "to").lacking
    [(_, wanted, sent)] = server.asked
    assert wanted == f"bytes={9 * PIECE}-"
    assert sent == len(server.has["/set.zip"]) - (9 * PIECE if version == '"first"' else 0)
    assert there(tmp_path / "to") == PAGES


@pytest.mark.parametrize("how", ["in the page", "in the archive", "one by one"])
def test_a_wrong_byte_is_named_and_nothing_of_that_file_is_left(
    how: str, server: Server, tmp_path: Path
) -> None:
    files = SIGNALS if how == "one by one" else PAGES
    bad = next(iter(files))
    sent = {**files, bad: flipped(files[bad], 70_000)}
    server.has = {f"/{path}": data for path, data in sent.items()}
    # a byte that was changed in the archive no longer fits the archive's own sum
    server.has["/set.zip"] = zipped(sent) if how == "in the page" else flipped(zipped(files), 150_000)
    address = server.address + ("" if files is SIGNALS else "set.zip")
    verdict = fetch(source(tmp_path, files, address, zipped=files is PAGES), tmp_path / "to")
    assert (verdict.differs, verdict.missing) == ((bad,), ())
    assert there(tmp_path / "to") == {path: data for path, data in files.items() if path != bad}


def test_the_second_address_serves_where_the_first_fails(server: Server, tmp_path: Path) -> None:
    server.has = {"/login": b"<html>please log in</html>", "/set.zip": zipped(PAGES)}
    addresses = [server.address + name for name in ("gone", "login", "set.zip")]
    assert not fetch(source(tmp_path, PAGES, *addresses), tmp_path / "to").lacking
    with pytest.raises(FetchError, match=r"gone: it answers 404 .*login: what came is no whole zip"):
        fetch(source(tmp_path, PAGES, *addresses[:2]), tmp_path / "other")
    assert not there(tmp_path / "other")


def test_more_bytes_than_the_set_can_have_are_not_taken(server: Server, tmp_path: Path) -> None:
    server.has = {"/100.hea": b"x" * 500_000, "/set.zip": bytes(3_000_000)}
    files = {"100.hea": SIGNALS["100.hea"]}
    one_by_one = source(tmp_path, files, server.address, zipped=False)
    assert fetch(one_by_one, tmp_path / "to").differs == ("100.hea",)
    with pytest.raises(FetchError, match="more than the 16,435 bytes"):
        fetch(source(tmp_path, files, f"{server.address}set.zip"), tmp_path / "to")
    assert not there(tmp_path / "to")


def test_without_a_network_one_sentence_tells_the_way_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = replace(SOURCES["mitdb"], addresses=("http://127.0.0.1:9/mitdb/",))
    monkeypatch.setitem(sources.SOURCES, "mitdb", made)
    monkeypatch.setattr(sys, "argv", ["leadwise", "fetch", "mitdb", "--to", str(tmp_path / "to")])
    with pytest.raises(SystemExit, match="2"):
        cli.main()
    _, said = capsys.readouterr().err.strip().splitlines()
    for part in ("127.0.0.1:9/mitdb/: no connection", made.page, "--verify"):
        assert part in said


def unpacked(archive: bytes, folder: Path) -> set[str]:
    (folder / "set.zip").write_bytes(archive)
    return unpack(folder / "set.zip", folder / "to", dict(source(folder, PAGES).files), room=2_000_000)


LINK = zipfile.ZipInfo("MI patients (2x12=24)/MI(1).jpg")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    "entry",
    [LINK, "../x.jpg", "a/../../x.jpg", "/x.jpg", "..\\x.jpg", "C:\\x.jpg", f"../../{next(iter(PAGES))}"],
)
def test_an_entry_that_leads_out_or_is_a_link_gives_no_file(
    entry: str | zipfile.ZipInfo, tmp_path: Path
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr(entry, "/etc/passwd")
        for path, data in PAGES.items():
            archive.writestr(path, data)
    assert not unpacked(packed.getvalue(), tmp_path)
    assert there(tmp_path / "to") == PAGES
    assert {path.name for path in tmp_path.iterdir()} == {"set.zip", "manifest.csv", "to"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("wraps_all", [True, False])
def test_a_zip_inside_the_zip_is_unpacked_and_one_deeper_is_not(wraps_all: bool, tmp_path: Path) -> None:
    deeper = {"deeper.zip": zipped({"../climbs.jpg": b"x"})}
    if wraps_all:
        nested = {"gwbz3fsgp8.zip": zipped({**PAGES, **deeper}, under="The set/")}
    else:
        by_class: dict[str, dict[str, bytes]] = {}
        for path, data in PAGES.items():
            by_class.setdefault(path.split("/")[0], {})[path.split("/")[1]] = data
        nested = {f"The set/{name}.zip": zipped({**files, **deeper}) for name, files in by_class.items()}
    assert not unpacked(zipped(nested), tmp_path)
    assert there(tmp_path / "to") == PAGES


def test_a_bomb_is_refused_by_what_it_really_unpacks_to(tmp_path: Path) -> None:
    bomb = zipped({"inner.zip": bytes(50_000_000)}, method=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 60_000
    with pytest.raises(FetchError, match="unpacks to more than 2,000,000 bytes"):
        unpacked(bomb, tmp_path)
    # the same with a size that lies
    liar = bomb.replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert liar != bomb
    with pytest.raises(FetchError):
        unpacked(liar, tmp_path)
    huge_page = {"MI patients (2x12=24)/MI(1).jpg": bytes(50_000_000)}
    assert unpacked(zipped(huge_page, method=zipfile.ZIP_DEFLATED), tmp_path) == set(huge_page)
    assert not there(tmp_path / "to")


def test_what_could_fill_the_memory_is_refused_unread(tmp_path: Path) -> None:
    assert unpacked(zipped(PAGES, method=zipfile.ZIP_LZMA), tmp_path) == set(PAGES)
    assert not there(tmp_path / "to")
    with pytest.raises(FetchError, match="table of contents"):
        unpacked(zipped({"x" * 60_000 + str(number): b"" for number in range(75)}), tmp_path)


def test_a_folder_is_judged_file_by_file(tmp_path: Path) -> None:
    made = source(tmp_path, PAGES)
    first, second, third = PAGES
    folder = written(tmp_path / "to", PAGES)
    assert verify(folder, made) == sources.Verdict((first, second, third), (), ())
    (folder / first).write_bytes(flipped(PAGES[first], 5))
    (folder / second).unlink()
    written(folder, {"Normal (1x12=12)/more.jpg": b"x", ".hidden/x": b"", "Normal (1x12=12)/.DS_Store": b""})
    assert verify(folder, made) == sources.Verdict(
        (third,), (first,), (second,), ("Normal (1x12=12)/more.jpg",)
    )


def test_a_set_is_recognised_by_its_files_however_deep_they_lie(tmp_path: Path) -> None:
    pages = written(tmp_path / "a", {f"set/{path}": b"" for path in list(SOURCES["mendeley"].files)[:3]})
    records = written(tmp_path / "b", {"physionet.org/files/mitdb/1.0.0/100.dat": b""})
    assert recognised(pages) == (SOURCES["mendeley"], pages / "set")
    assert recognised(records) == (SOURCES["mitdb"], records / "physionet.org/files/mitdb/1.0.0")
    assert recognised(pages, "mitdb") == (SOURCES["mitdb"], pages)
    with pytest.raises(FetchError, match="no file of a known set"):
        recognised(written(tmp_path / "c", {"holiday.jpg": b""}))
    with pytest.raises(MissingInput, match="no such folder"):
        recognised(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--verify", "{}"], 1, "missing: 100.dat, 100.hea, 101.atr, 101.dat, 101.hea and 138 more"),
        (["mendeley", "--verify", "{}"], 1, "extra: 100.atr"),
        (["mendely"], 2, "did you mean 'mendeley'?"),
        ([], 2, "mendeley or mitdb"),
        (["mitdb", "--to", "{}", "--verify", "{}"], 2, "exclude each other"),
    ],
)
def test_the_command_says_what_is_wrong_and_ends_with_its_status(
    arguments: list[str],
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(tmp_path, {"100.atr": b"wrong"})
    filled = [argument.format(tmp_path) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["leadwise", "fetch", *filled])
    with pytest.raises(SystemExit, match=str(status)):
        cli.main()
    assert said in capsys.readouterr().err


def test_the_manifests_list_the_published_sets() -> None:
    pages, signals = SOURCES["mendeley"].files, SOURCES["mitdb"].files
    assert (len(pages), len({page.sha256 for page in pages.values()})) == (928, 491)
    assert len({path.split("/")[0] for path in pages}) == 4
    assert (len(signals), sum(path.endswith(".dat") for path in signals)) == (144, 48)


@pytest.mark.skipif("LEADWISE_DATA" not in os.environ, reason="LEADWISE_DATA names no folder with the set")
def test_the_whole_set_is_right() -> None:
    which, folder = recognised(Path(os.environ["LEADWISE_DATA"]), "mendeley")
    assert len(verify(folder, which).right) == 928
