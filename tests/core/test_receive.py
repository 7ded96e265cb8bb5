"""Taking raw files in: what becomes of them, whatever ends in the middle."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from random import Random

import pytest

from tests.core.landed import CSV, NAME, PIPELINE, START, Bay, Cut, Killed, arrival
from towline import keys
from towline.errors import NotFound, OutcomeUnknown, Unavailable
from towline.inbox import Arrival
from towline.ingest import places, receive
from towline.ingest.entry import BRONZE, DUPLICATE, LINE_MAX, QUARANTINED, Entry
from towline.ingest.fingerprint import READ_MAX, fingerprint, told
from towline.memory import fail_once
from towline.store import PART_MIN, Stat

PREFIXES = (keys.BRONZE, keys.MANIFESTS, keys.QUARANTINE)


def test_a_file_is_copied_to_bronze_and_has_an_entry() -> None:
    bay = Bay()
    landed = bay.land("range/north/a.csv")
    bay.wait(minutes=2)
    entry = bay.receive(landed)
    copied = bay.store.get(f"bronze/{NAME}/source=range-north/ingest_date=2026-11-28/214500--a.csv")
    assert copied.body == CSV
    assert copied.stat.metadata == {"ingest": entry.ingest, "raw": landed.key, "raw-version": landed.version}
    assert entry == Entry(
        ingest=entry.ingest,
        dataset=NAME,
        raw=f"raw/{NAME}/range/north/a.csv",
        status=BRONZE,
        mtime=START.timestamp(),
        size=len(CSV),
        etag=landed.etag,
        fingerprint=f"{landed.etag}-{len(CSV)}",
        version=landed.version,
        bronze=copied.stat.key,
        bronze_version=copied.stat.version,
        sha256=sha256(CSV).hexdigest(),
        kind="csv",
        columns=("round", "hole"),
        ingested="2026-11-28T21:47:00.000+00:00",
    )
    assert bay.entries() == [entry]
    assert bay.keys(keys.MANIFESTS) == [f"manifests/{NAME}/entries/{entry.fingerprint}.json"]
    assert bay.told == []


@pytest.mark.parametrize("key", ["temp_a.csv", "range/temp_a.csv", "range/", "", "../x/"])
def test_what_is_no_file_yet_is_left_alone(key: str) -> None:
    bay = Bay()
    assert bay.receive(bay.land(key)) is None
    assert [bay.versions(prefix) for prefix in PREFIXES] == [0, 0, 0]


@pytest.mark.parametrize("key", ["raw/a.csv", "raw/No Dataset/a.csv", "bronze/rounds/a.csv", "raw"])
def test_keys_that_are_no_raw_keys_are_left_alone(key: str) -> None:
    bay = Bay()
    assert bay.receive(arrival(bay.store.put(key, CSV))) is None
    assert bay.versions(keys.MANIFESTS) == 0


def test_a_version_that_is_gone_is_nothing_to_take_in() -> None:
    bay = Bay()
    assert bay.receive(Arrival(f"raw/{NAME}/a.csv", "gone", "0" * 32, 3)) is None


def test_another_object_that_is_missing_is_no_reason_to_drop_a_file() -> None:
    bay = Bay()
    bay.store.faults = fail_once("copy", "before", NotFound("the bucket of bronze"))
    with pytest.raises(NotFound, match="the bucket of bronze"):
        bay.take("a.csv")


def test_a_delivery_days_later_changes_nothing() -> None:
    bay = Bay()
    landed = bay.land("a.csv")
    first = bay.receive(landed)
    bay.store.put(landed.key, b"round,hole\nr2,1\n")
    bay.wait(days=3)
    assert bay.receive(landed) == first
    assert [bay.versions(prefix) for prefix in PREFIXES] == [1, 1, 0]


def test_an_event_without_a_version_is_about_the_current_one() -> None:
    bay = Bay()
    bay.land("a.csv", b"round\nold\n")
    landed = bay.land("a.csv")
    entry = bay.receive(replace(landed, version=None))
    assert (entry.version, entry.sha256) == (landed.version, sha256(CSV).hexdigest())


def test_the_same_bytes_under_a_new_name_are_a_duplicate() -> None:
    bay = Bay()
    first = bay.take("a.csv")
    bay.wait(seconds=5)
    second = bay.take("again/b.csv")
    assert (second.status, second.duplicate_of, second.bronze) == (DUPLICATE, first.ingest, first.bronze)
    assert (second.kind, second.columns, second.bronze_version) == ("csv", ("round", "hole"), first.bronze_version)
    assert bay.keys(keys.BRONZE) == [first.bronze]
    assert bay.entries() == [first, second]


def test_the_same_name_with_the_same_bytes_again_is_a_duplicate_too() -> None:
    bay = Bay()
    first = bay.take("a.csv")
    bay.wait(seconds=5)
    assert bay.take("a.csv").duplicate_of == first.ingest
    assert bay.versions(keys.BRONZE) == 1


def test_other_bytes_with_the_same_name_second_and_partition_get_a_key_of_their_own() -> None:
    bay = Bay()
    bay.pipeline = replace(PIPELINE, partition=lambda key: {"course": "erinhills"})
    bodies = [b"round\n%d\n" % number for number in range(3)]
    found = [bay.take(f"{source}/a.csv", body) for source, body in zip("xyz", bodies, strict=True)]
    assert len({entry.bronze for entry in found}) == 3
    assert [bay.store.get(entry.bronze).body for entry in found] == bodies
    place = f"bronze/{NAME}/course=erinhills/ingest_date=2026-11-28/214500"
    assert found[0].bronze == f"{place}--a.csv"
    assert found[1].bronze == f"{place}-{found[1].ingest[16:]}--a.csv"


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"round,hole\n", "no rows"),
        ("a.csv", b"course,hole\n1,2\n", "there is no column 'round'; it has course, hole"),
        ("a.parquet", b"PAR1 and no more", ""),
    ],
)
def test_what_cannot_pass_is_kept_in_quarantine_with_its_reasons(name: str, body: bytes, reason: str) -> None:
    bay = Bay()
    entry = bay.take(name, body)
    assert (entry.status, entry.bronze, entry.claims) == (QUARANTINED, "", False)
    assert reason in " ".join(entry.reasons)
    assert entry.quarantine == f"quarantine/{NAME}/2026-11-28/{entry.ingest}/{name}"
    kept = bay.store.get(entry.quarantine)
    assert (kept.body, kept.stat.metadata["ingest"]) == (body, entry.ingest)
    report = json.loads(bay.store.get(f"quarantine/{NAME}/2026-11-28/{entry.ingest}/report.json").body)
    assert (report["reasons"], report["raw"]) == (list(entry.reasons), entry.raw)
    assert bay.told == [entry]
    assert bay.keys(keys.BRONZE) == []
    assert bay.entries() == [entry]


def test_a_dataset_without_a_pipeline_takes_what_can_be_read() -> None:
    bay = Bay(pipeline=None)
    entry = bay.take("north/a.csv", b"course\n1\n")
    assert entry.bronze == f"bronze/{NAME}/source=north/ingest_date=2026-11-28/214500--a.csv"
    assert bay.take("a.parquet", b"none").status == QUARANTINED


def test_refused_bytes_claim_nothing_so_that_they_can_pass_when_they_come_again() -> None:
    bay = Bay()
    refused = bay.take("a.csv", b"course\n1\n")
    bay.correct()
    bay.wait(days=1)
    passed = bay.take("a.csv", b"course\n1\n")
    assert (refused.status, passed.status) == (QUARANTINED, BRONZE)
    assert bay.receive(Arrival(refused.raw, refused.version, refused.etag, refused.size)) == refused
    assert bay.entries() == [refused, passed]


def test_a_file_named_like_a_report_does_not_lie_where_its_report_does() -> None:
    bay = Bay()
    entry = bay.take("report.json", b"[]")
    assert bay.store.get(entry.quarantine).body == b"[]"
    assert json.loads(bay.store.get(places.report(NAME, entry.ingest)).body)["ingest"] == entry.ingest


def test_a_line_tells_only_so_much_of_a_header_and_the_report_all() -> None:
    bay = Bay()
    names = [f"locations[{number}].startTime" for number in range(2_000)]
    entry = bay.take("wide.csv", f"{','.join(names)}\n{',' * 1_999}\n".encode())
    assert entry.columns[:3] == tuple(names[:3])
    assert sum(map(len, entry.columns)) == LINE_MAX + 1
    assert entry.columns[-1].endswith("…")
    assert len(entry.to_line()) < 4_000
    report = json.loads(bay.store.get(places.report(NAME, entry.ingest)).body)
    assert report["columns"] == names
    assert len(report["reasons"][0]) > LINE_MAX
    assert bay.entries() == bay.told == [entry]
    bay.correct()
    assert bay.receive(bay.retry(entry)).columns == entry.columns


def test_names_that_are_no_unicode_do_not_stop_the_manifest() -> None:
    bay = Bay(pipeline=None)
    entry = bay.take("a.json", b'[{"\\ud800x": 1}]')
    assert rb"\\ud800x" in entry.to_line()
    assert [each.columns for each in bay.entries()] == [(r"\ud800x",)]


# names


@pytest.mark.parametrize(
    "name",
    [
        "line\nbreak.csv",
        "..",
        "../../up.csv",
        "a\\b.csv",
        "'quo\"ted'.csv",
        "emoji\U0001f600.csv",
        "e\u0301\u202e.csv",
        " .csv",
        "x" * 1000 + ".csv",
        "é" * 504 + ".csv",
        "/".join(["source" * 30] * 4) + "/" + "漢" * 80 + ".tar.gz",
    ],
)
@pytest.mark.parametrize("body", [CSV, b""])
def test_any_name_that_s3_can_hold_has_keys_that_s3_can_hold(name: str, body: bytes) -> None:
    bay = Bay()
    entry = bay.take(name, body)
    place = entry.bronze or entry.quarantine
    assert entry.raw == f"raw/{NAME}/{name}"
    assert bay.store.get(place).body == body
    assert len(keys.sample(place, place.rsplit("/", 1)[1] + ".meta.json").encode()) <= 1024
    assert place.isprintable()
    assert {".", ".."}.isdisjoint(place.split("/"))
    assert bay.entries() == [entry]
    assert bay.receive(Arrival(entry.raw, entry.version, entry.etag, entry.size)) == entry


def test_a_long_name_is_cut_before_its_ending_and_told_from_its_like() -> None:
    one, other = places.shortened("x" * 300 + "1.csv.gz", 200), places.shortened("x" * 300 + "2.csv.gz", 200)
    assert one != other
    assert (len(one), one.endswith(".csv.gz")) == (200, True)
    assert places.shortened("short.csv", 200) == "short.csv"


def test_partitions_that_are_too_long_are_shortened_until_they_fit() -> None:
    bay = Bay()
    bay.pipeline = replace(PIPELINE, partition=lambda key: {f"column{n}": "é" * 150 for n in range(6)})
    entry = bay.take("a.csv")
    assert len(entry.bronze.encode()) <= 1000
    assert "/column5=ééé" in entry.bronze


# fingerprints


def test_a_file_in_parts_is_known_by_the_same_fingerprint_as_in_one() -> None:
    bay = Bay()
    body = CSV + b"r1,3\n" * 1_100_000
    parts = bay.store.assemble(f"raw/{NAME}/parts.csv", [body[:PART_MIN], body[PART_MIN:]])
    assert "-" in parts.etag
    whole = bay.take("whole.csv", body)
    assert fingerprint(bay.store, parts) == whole.fingerprint
    found = bay.receive(arrival(parts))
    assert (found.status, found.duplicate_of) == (DUPLICATE, whole.ingest)


def test_a_huge_file_in_parts_is_not_read_to_be_known() -> None:
    def read(span: tuple[int, int]) -> bytes:
        raise AssertionError

    assert told("abc-3", READ_MAX + 1, read) == f"abc-3-{READ_MAX + 1}"


def test_a_large_file_is_not_read_whole() -> None:
    bay = Bay()
    landed = bay.land("large.csv", CSV + b"r1,3\n" * 400_000)
    bay.store.requests.clear()
    entry = bay.receive(landed)
    assert (entry.status, entry.sha256) == (BRONZE, None)


def test_equal_fingerprints_of_different_bytes_are_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    """MD5 can be made to collide; the SHA-256 of small files cannot."""
    monkeypatch.setattr("towline.ingest.rawfile.fingerprint", lambda store, stat: "5" * 32 + "-9")
    bay = Bay()
    one, other = bay.take("one.csv", b"round\n111\n"), bay.take("other.csv", b"round\n222\n")
    assert (one.status, other.status) == (BRONZE, BRONZE)
    assert other.fingerprint == f"{one.fingerprint}-{other.sha256}"
    again = bay.take("again.csv", b"round\n222\n")
    assert (again.status, again.duplicate_of) == (DUPLICATE, other.ingest)
    assert bay.take("yet.csv", b"round\n111\n").duplicate_of == one.ingest
    assert len(bay.entries()) == 4
    assert bay.receive(Arrival(again.raw, again.version, again.etag, again.size)) == again


# crashes


Story = Callable[[Bay], tuple[list[Arrival], list[str]]]


def alone(bay: Bay) -> tuple[list[Arrival], list[str]]:
    return [bay.land("a.csv")], [BRONZE]


def refused(bay: Bay) -> tuple[list[Arrival], list[str]]:
    return [bay.land("a.csv", b"course\n1\n")], [QUARANTINED]


def twice_the_same_bytes(bay: Bay) -> tuple[list[Arrival], list[str]]:
    return [bay.land("a.csv"), bay.land("b.csv")], [BRONZE, DUPLICATE]


def one_place(bay: Bay) -> tuple[list[Arrival], list[str]]:
    bay.pipeline = replace(PIPELINE, partition=lambda key: {})
    return [bay.land("x/a.csv", b"round\n1\n"), bay.land("y/a.csv", b"round\n2\n")], [BRONZE, BRONZE]


def the_same_bytes_in_one_place(bay: Bay) -> tuple[list[Arrival], list[str]]:
    bay.pipeline = replace(PIPELINE, partition=lambda key: {})
    bodies = {"x": b"round\n1\n", "y": b"round\n2\n", "z": b"round\n1\n"}
    return [bay.land(f"{source}/a.csv", body) for source, body in bodies.items()], [BRONZE, BRONZE, DUPLICATE]


STORIES = [the_same_bytes_in_one_place, alone, refused, twice_the_same_bytes, one_place]


def check(bay: Bay, landed: list[Arrival], statuses: list[str]) -> None:
    """Exactly one entry a file, one bronze object for the same bytes, one place in quarantine, and the bytes in it."""
    found = bay.entries()
    assert sorted(entry.raw for entry in found) == sorted(each.key for each in landed)
    assert len(bay.keys(f"{keys.MANIFESTS}{NAME}/")) == len(found)
    assert sorted(entry.status for entry in found) == sorted(statuses)
    assert sorted(bay.keys(keys.BRONZE)) == sorted({entry.bronze for entry in found if entry.bronze})
    for entry in found:
        body = bay.store.get(entry.raw).body
        assert bay.store.get(entry.bronze or entry.quarantine).body == body
        if entry.bronze_version:
            assert bay.store.get(entry.bronze, version=entry.bronze_version).body == body
    assert {entry.ingest for entry in bay.told} == {e.ingest for e in found if e.status == QUARANTINED}
    bronze = [e for e in found if e.status == BRONZE]
    assert [bay.store.head(e.bronze).metadata["ingest"] for e in bronze] == [e.ingest for e in bronze]


def requests(story: Story) -> int:
    bay = Bay()
    landed, statuses = story(bay)
    before = bay.store.requests.total()
    for each in landed:
        bay.receive(each)
    count = bay.store.requests.total() - before
    check(bay, landed, statuses)
    return count


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_request_is_healed_by_the_next_delivery(story: Story, phase: str) -> None:
    for at in range(requests(story)):
        bay = Bay()
        landed, statuses = story(bay)
        bay.store.faults = Cut(at, phase)
        # After a request that found nothing nothing has happened: then it does not end there.
        with suppress(Killed) if phase == "after" else pytest.raises(Killed):
            for each in landed:
                bay.receive(each)
        bay.store.faults = None
        bay.wait(days=2)
        for each in reversed(landed):  # in another order, and all of them again
            bay.receive(each)
        for each in landed:
            bay.receive(each)
        check(bay, landed, statuses)


@pytest.mark.parametrize("story", STORIES)
def test_a_worker_that_does_all_of_it_between_two_requests_of_another_changes_nothing(story: Story) -> None:
    """One stands still at each of its requests, while another takes in all that landed."""
    for at in range(requests(story)):
        for phase in ("before", "after"):
            bay = Bay()
            landed, statuses = story(bay)
            cut = Cut(at, phase)

            def rival(operation: str, key: str, now: str, bay: Bay = bay, cut: Cut = cut, landed=landed) -> None:
                try:
                    cut(operation, key, now)
                except Killed:
                    bay.store.faults = None
                    for each in reversed(landed):
                        bay.receive(each)

            bay.store.faults = rival
            for each in landed:
                bay.receive(each)
            check(bay, landed, statuses)


@pytest.mark.parametrize("seed", range(340, 400, 20))
def test_workers_that_die_again_and_again_leave_it_whole_in_the_end(seed: int) -> None:
    for number in range(seed, seed + 20):
        die_again_and_again(Random(number))  # noqa: S311 - a story to be told again, no secret


def die_again_and_again(chance: Random) -> None:
    """Deliveries in any order, each of which ends after some requests, until each has come to its end."""
    bay = Bay()
    landed, statuses = the_same_bytes_in_one_place(bay)
    waiting = landed * 2
    while waiting:
        arrival = waiting.pop(chance.randrange(len(waiting)))
        bay.store.faults = Cut(chance.randrange(12), chance.choice(["before", "after"]))
        with suppress(Killed):
            bay.receive(arrival)
            continue
        waiting.append(arrival)
    bay.store.faults = None
    check(bay, landed, statuses)


@pytest.mark.parametrize("operation", ["copy", "put"])
def test_a_write_whose_answer_is_lost_is_found_by_the_next_delivery(operation: str) -> None:
    bay = Bay()
    landed = bay.land("a.csv")
    bay.store.faults = fail_once(operation, "after", OutcomeUnknown("no answer"))
    with pytest.raises(OutcomeUnknown):
        bay.receive(landed)
    bay.receive(landed)
    check(bay, [landed], [BRONZE])
    assert bay.versions(keys.BRONZE) == 1


def test_eight_workers_with_the_same_events_at_once() -> None:
    for _ in range(20):
        bay = Bay()
        landed = [bay.land(f"{n}.csv", b"round\n%d\n" % (n % 3)) for n in range(6)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(bay.receive, landed * 3))
        check(bay, landed, [BRONZE] * 3 + [DUPLICATE] * 3)


LARGE = CSV + b"r1,3\n" * 400_000


@pytest.mark.parametrize(
    ("bodies", "costs", "again"),
    [
        ([CSV], {"get": 3, "head": 1, "copy": 1, "put": 1}, {"get": 2}),
        ([b"round,hole\n"], {"get": 3, "copy": 1, "put": 2}, {"get": 3}),
        ([CSV, CSV], {"get": 3, "head": 2, "put": 1}, {"get": 3, "head": 2}),
        ([LARGE], {"get": 3, "head": 3, "copy": 1, "put": 1}, {"get": 1, "head": 1}),
    ],
    ids=["passes", "refused", "duplicate", "large"],
)
def test_the_requests_that_a_file_costs_and_its_second_delivery(
    bodies: list[bytes], costs: dict[str, int], again: dict[str, int]
) -> None:
    bay = Bay()
    landed = [bay.land(f"{number}.csv", body) for number, body in enumerate(bodies)]
    for expected in (costs, again):
        for each in landed:
            bay.store.requests.clear()
            bay.receive(each)
        assert bay.store.requests == expected


def test_a_copy_at_the_other_place_is_found_when_the_first_has_become_free() -> None:
    """A worker died behind its copy; what had been in its way was taken back, as a duplicate, before the next one."""
    bay = Bay()
    (x, y, z), statuses = the_same_bytes_in_one_place(bay)
    for each in (x, y):
        bay.store.faults = fail_once("put", "before", Unavailable("the worker ends"))
        with pytest.raises(Unavailable):
            bay.receive(each)
    for each in (z, x, y):
        bay.receive(each)
    check(bay, [x, y, z], statuses)


def test_of_two_copies_of_one_file_the_one_that_has_an_entry_stays() -> None:
    """A worker is about to copy to the first place, which another has found taken and so used the second one; by the
    time of the copy the first is free."""
    bay = Bay()
    (x, y, z), statuses = the_same_bytes_in_one_place(bay)
    bay.store.faults = fail_once("put", "before", Unavailable("the worker ends"))
    with pytest.raises(Unavailable):
        bay.receive(x)

    def rival(operation: str, key: str, phase: str) -> None:
        if operation == "copy":
            bay.store.faults = None
            for each in (y, z, x):
                bay.receive(each)

    bay.store.faults = rival
    assert bay.receive(y) in bay.entries()
    check(bay, [x, y, z], statuses)


def test_what_others_find_is_what_was_recorded() -> None:
    bay = Bay()
    first, second = bay.take("a.csv"), bay.take("b.csv")
    for entry in (first, second):
        assert receive.find(bay.store, NAME, entry.fingerprint, entry.ingest) == entry
    assert receive.find(bay.store, NAME, first.fingerprint, "20261128T214500-000000000000") is None


def test_a_stat_is_not_needed_to_be_of_this_store() -> None:
    stat = Stat("k", 3, "0" * 32, None, START, {})
    assert fingerprint(Bay().store, stat) == f"{'0' * 32}-3"
