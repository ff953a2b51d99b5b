"""One record beside what its manifest says of it: each way in which it may not be that one."""

from __future__ import annotations

import gzip
from hashlib import sha256

import pytest
from msgspec import structs

from storage.model import Payload, Representation
from storage.verify.members import Described, fault_of, manifest_in
from storage.warc import (
    GZIP_HEADER,
    BuiltRecord,
    Target,
    build_group,
    build_response,
    build_revisit,
    digest,
    new_record_id,
)
from tests.storage.segment_samples import NOON, manifest, payload

GROUP, OTHER = new_record_id(), new_record_id()
BODY = b"<p>words</p>" * 9


def shown(built: BuiltRecord, answer: Payload, body: bytes) -> Representation:
    return Representation(
        format=answer.role,
        url=answer.url,
        final_url=answer.url,
        status=answer.status,
        media_type="text/html",
        digest=sha256(body).hexdigest(),
        length=len(body),
        fetched_at=NOON,
        record_id=built.id,
        content_encoding=built.content_encoding,
        payload_digest=built.payload_digest,
    )


def response(body: bytes = BODY, *, coded: bool = False) -> tuple[bytes, Described]:
    """Return a response's member, and what a manifest that is true says of it."""
    answer = payload("html", body, coded=coded)
    built = build_response(answer, record_id=new_record_id(), concurrent_to=GROUP)
    return built.member, Described(ref=built.ref, group=GROUP, one=shown(built, answer, body))


def revisit() -> tuple[bytes, Described]:
    answer = payload("html", BODY)
    target = Target(id=OTHER, url=answer.url, date=NOON, payload_digest=digest(answer.body))
    built = build_revisit(answer, record_id=new_record_id(), concurrent_to=GROUP, target=target)
    one = structs.replace(shown(built, answer, BODY), target_id=OTHER)
    return built.member, Described(ref=built.ref, group=GROUP, one=one)


def squeezed(plain: bytes) -> bytes:
    return GZIP_HEADER + gzip.compress(plain, mtime=0)[len(GZIP_HEADER) :]


def ref_of(said: Described, member: bytes, **changes: object) -> Described:
    """Say the same of other bytes, as a manifest from before checksums were kept would."""
    ref = structs.replace(said.ref, length=len(member), crc=None, **changes)
    return structs.replace(said, ref=ref)


def fault(member: bytes, said: Described, *, deep: bool = True) -> str | None:
    return fault_of(memoryview(member), said, deep=deep)


@pytest.mark.parametrize("made", [response(), response(coded=True), revisit()])
@pytest.mark.parametrize("deep", [False, True])
def test_a_record_as_it_was_written_has_no_fault(made: tuple[bytes, Described], deep: bool) -> None:
    member, said = made
    assert fault(member, said, deep=deep) is None
    assert fault(member, ref_of(said, member), deep=deep) is None


def test_a_large_record_has_no_fault_either() -> None:
    large = response(bytes(number * 7 % 251 for number in range(200_000)))
    assert fault(*large) is None


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (lambda whole: whole.replace(b"words", b"sword", 1), "digest"),
        (lambda whole: whole.replace(b"HTTP/1.1 200", b"HTTP/1.1 201"), "digest"),
        (lambda whole: whole[:-4], ""),
        (lambda whole: whole + b"\r\n", ""),
        (lambda _: b"", ""),
    ],
)
def test_a_record_of_other_bytes_is_told(plain: object, why: str) -> None:
    member, said = response()
    wrong = squeezed(plain(gzip.decompress(member)))  # type: ignore[operator]
    told = fault(wrong, ref_of(said, wrong))
    assert told is not None
    assert why in told


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("cut", [0, 5])
def test_what_is_not_to_the_byte_a_member_is_told(*, coded: bool, cut: int) -> None:
    member, said = response(coded=coded)
    data, trailer = member[: -8 - cut], member[-8:]
    wrong = data + (b"" if cut else b"12345") + trailer
    assert fault(wrong, ref_of(said, wrong)) is not None


def test_bytes_that_decode_alike_are_told_where_their_checksum_was_kept() -> None:
    member, said = response()
    again = squeezed(gzip.decompress(member))
    assert again != member
    told = fault(again, said)
    assert told is not None
    assert "not those written" in told


@pytest.mark.parametrize("size", [100, 200_000])
def test_what_follows_a_record_is_told(size: int) -> None:
    member, said = response(bytes(number * 7 % 251 for number in range(size)))
    for more in (response(b"other words")[0], bytes(len(member))):
        assert fault(member + more, ref_of(said, member + more)) is not None


def test_another_articles_record_is_told() -> None:
    member, said = response()
    told = fault(member, structs.replace(said, group=OTHER))
    assert told == f"record {said.ref.id} says that it belongs to {GROUP}"


def test_another_record_of_the_article_is_told() -> None:
    member, said = response()
    told = fault(member, ref_of(said, member, id=OTHER))
    assert told == f"record {said.ref.id} where {OTHER} should stand"
    told = fault(member, ref_of(said, member, type="revisit"))
    assert told == f"record {said.ref.id} where {said.ref.id} should stand"


def test_a_body_that_the_manifest_does_not_describe_is_told() -> None:
    member, said = response()
    assert said.one is not None
    other = digest(b"other words")
    told = fault(member, structs.replace(said, one=structs.replace(said.one, payload_digest=other)))
    assert told == (f"its payload is {said.one.payload_digest}, and the manifest says {other}")


@pytest.mark.parametrize("none", [True, False])
def test_a_revisit_of_another_body_is_told(none: bool) -> None:
    member, said = revisit()
    target = None if none else GROUP
    assert said.one is not None
    told = fault(member, structs.replace(said, one=structs.replace(said.one, target_id=target)))
    assert told == f"it refers to {OTHER!r}, and the manifest says {target!r}"


@pytest.mark.parametrize("changes", [{"digest": "0" * 64}, {"length": 3}, {"length": 10_000}])
def test_only_a_deep_look_sees_that_decoded_bytes_are_not_the_manifests(
    changes: dict[str, object],
) -> None:
    member, said = response(coded=True)
    wrong = structs.replace(said, one=structs.replace(said.one, **changes))  # type: ignore[type-var]
    assert fault(member, wrong, deep=False) is None
    assert fault(member, wrong) is not None


def test_a_body_in_another_coding_than_the_manifest_says_is_told() -> None:
    member, said = response()
    wrong = structs.replace(said, one=structs.replace(said.one, content_encoding="gzip"))  # type: ignore[type-var]
    told = fault(member, wrong)
    assert told is not None
    assert told.startswith("its body does not decode: ")


def test_a_record_that_no_representation_stands_for_is_looked_at_too() -> None:
    member, said = response()
    hop = structs.replace(said, one=None)
    assert fault(member, hop) is None
    assert fault(member, structs.replace(hop, group=OTHER)) is not None


@pytest.mark.parametrize("of", ["record", "group", "target"])
def test_an_id_that_is_no_text_is_told(of: str) -> None:
    member, said = revisit()
    name = {"record": said.ref.id, "group": GROUP, "target": OTHER}[of].encode()
    wrong = squeezed(gzip.decompress(member).replace(name, name[:-1] + b"\xff", 1))
    assert fault(wrong, ref_of(said, wrong)) is not None


def other_writers(member: bytes) -> bytes:
    """Return the same record with its fields in another order."""
    head, _, rest = gzip.decompress(member).partition(b"\r\n\r\n")
    version, *fields = head.split(b"\r\n")
    return squeezed(b"\r\n".join([version, *reversed(fields)]) + b"\r\n\r\n" + rest)


@pytest.mark.parametrize("made", [response(), response(coded=True), revisit()])
def test_a_record_whose_fields_stand_otherwise_is_judged_alike(
    made: tuple[bytes, Described],
) -> None:
    member, said = made
    other = other_writers(member)
    assert fault(other, ref_of(said, other)) is None
    told = fault(other, structs.replace(ref_of(said, other), group=OTHER))
    assert told == f"record {said.ref.id} says that it belongs to {GROUP}"


def test_a_manifest_is_read_with_its_name() -> None:
    named, blob = build_group(manifest("a"), record_id=GROUP, records=[])
    assert manifest_in(memoryview(blob)) == (GROUP, "urn:slugline:example.org/a", named)


@pytest.mark.parametrize(
    "plain",
    [
        lambda whole: whole.replace(b'"slug":"a"', b'"slug":"b"'),
        lambda whole: whole[:-4],
        lambda whole: whole[:-4] + b"    ",
        lambda whole: whole.replace(b"metadata", b"response"),
    ],
)
def test_what_is_not_plainly_a_manifest_is_left_to_others(plain: object) -> None:
    _, blob = build_group(manifest("a"), record_id=GROUP, records=[])
    assert manifest_in(memoryview(squeezed(plain(gzip.decompress(blob))))) is None  # type: ignore[operator]
    member, _ = response()
    assert manifest_in(memoryview(member)) is None
