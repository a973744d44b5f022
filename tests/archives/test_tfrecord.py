"""TFRecord files as containers: pictures as members, labels as JSON, and records that lie."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from ultracurate.archives.member import DEFAULT_LIMITS, ArchiveLimits, Member
from ultracurate.archives.tfrecord import _masked_crc, is_tfrecord, tfrecord_members
from ultracurate.core.errors import RowError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3


def example_class() -> Any:
    """tf.train.Example, declared at run time from its published fields: an independent writer."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, int, str | None]) -> descriptor_pb2.DescriptorProto:
        made = file.message_type.add(name=name)
        for label, number, kind, repeated, type_name in fields:
            made.field.add(name=label, number=number, type=kind, label=repeated, type_name=type_name)
        return made

    many, one, inner = field.LABEL_REPEATED, field.LABEL_OPTIONAL, field.TYPE_MESSAGE
    message("BytesList", ("value", 1, field.TYPE_BYTES, many, None))
    message("FloatList", ("value", 1, field.TYPE_FLOAT, many, None))
    message("Int64List", ("value", 1, field.TYPE_INT64, many, None))
    feature = message("Feature", *(
        (name, number, inner, one, f".tensorflow.{kind}")
        for name, number, kind in (("bytes_list", 1, "BytesList"), ("float_list", 2, "FloatList"),
                                   ("int64_list", 3, "Int64List"))
    ))  # fmt: skip
    feature.oneof_decl.add(name="kind")
    for part in feature.field:
        part.oneof_index = 0
    features = message("Features", ("feature", 1, inner, many, ".tensorflow.Features.FeatureEntry"))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=one)
    entry.field.add(name="value", number=2, type=inner, label=one, type_name=".tensorflow.Feature")
    entry.options.map_entry = True
    message("Example", ("features", 1, inner, one, ".tensorflow.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


EXAMPLE = example_class()


def record(features: dict[str, list[Any]]) -> bytes:
    made = EXAMPLE()
    for name, values in features.items():
        feature = made.features.feature[name]
        kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(values[0])]
        getattr(feature, kind).value.extend(values)
    return bytes(made.SerializeToString(deterministic=True))


def framed(*records: bytes) -> bytes:
    out = b""
    for body in records:
        length = struct.pack("<Q", len(body))
        out += length + struct.pack("<I", _masked_crc(length)) + body + struct.pack("<I", _masked_crc(body))
    return out


def members(data: bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> list[tuple[Member, bytes]]:
    return [(member, member.read()) for member in tfrecord_members(io.BytesIO(data), limits)]


def test_the_checksum_is_the_published_one() -> None:
    """RFC 3720 appendix B.4: 32 bytes of zeros give aa 36 91 8a; TFRecord rotates by 15 and adds a constant."""
    crc = 0x8A9136AA
    assert _masked_crc(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_pictures_are_members_where_they_lie_and_labels_are_json() -> None:
    data = framed(
        record({"image/encoded": [PNG], "label": [3, -1], "name": [b"lesion"], "weight": [0.5, 2.0]}),
        record({"frames": [PNG, PNG[:500]], "signal": [0.25] * 1000}),
    )
    assert is_tfrecord(data[:512], len(data))
    found = members(data)
    assert [member.path for member, _ in found] == [
        "000000/image/encoded", "000000.json", "000001/frames/000000", "000001/frames/000001",
    ]  # fmt: skip
    for member, body in found:
        assert member.size == len(body)
        assert member.problem is None
        if member.offset is not None:
            assert data[member.offset : member.offset + member.size] == body
    assert [body for _, body in found if body.startswith(b"\x89PNG")] == [PNG, PNG, PNG[:500]]
    assert json.loads(found[1][1]) == {"label": [3, -1], "name": ["lesion"], "weight": [0.5, 2.0]}
    late = list(tfrecord_members(io.BytesIO(data), DEFAULT_LIMITS))
    assert late[0].read() == PNG  # in any order


@given(
    st.lists(
        st.dictionaries(
            st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True),
            st.lists(st.binary(max_size=40).map(lambda tail: b"\xff\xd8\xff" + tail), min_size=1, max_size=3)
            | st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=64)
            | st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=64),
            max_size=4,
        ),
        min_size=1, max_size=4,
    )
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_every_value_comes_back(records: list[dict[str, list[Any]]]) -> None:
    data = framed(*map(record, records))
    assert is_tfrecord(data, len(data)) == bool(records[0])  # an empty first record is no sign of anything
    wanted_bytes = sorted(v for features in records for values in features.values() for v in values if type(v) is bytes)
    found = members(data)
    assert sorted(body for member, body in found if not member.path.endswith(".json")) == wanted_bytes
    labels = {member.path: json.loads(body) for member, body in found if member.path.endswith(".json")}
    for number, features in enumerate(records):
        numbers = {name: values for name, values in features.items() if type(values[0]) is not bytes}
        assert labels.get(f"{number:06d}.json", {}) == numbers


def test_other_files_are_no_tfrecord() -> None:
    data = framed(record({"a": [PNG]}))
    assert not is_tfrecord(data[:512], len(data) - 20)
    assert not is_tfrecord(data[:11], len(data))
    assert not is_tfrecord(b"", 0)
    assert not is_tfrecord(bytes(512), 512)
    assert not is_tfrecord(PNG, len(PNG))
    assert not is_tfrecord(bytes([data[0] ^ 1]) + data[1:], 1 << 30)


def test_records_that_lie_are_errors() -> None:
    good = record({"image": [PNG]})
    with pytest.raises(RowError, match="cut off"):
        members(framed(good, good)[:-20])
    with pytest.raises(RowError, match="cut off"):
        members(framed(good) + b"more")
    length = struct.pack("<Q", 1 << 50)
    assert not is_tfrecord(length + struct.pack("<I", _masked_crc(length)), 1000)
    with pytest.raises(RowError, match="at most"):
        members(framed(good), ArchiveLimits(max_member_bytes=100))
    for body, match in (
        (b"\x0a\xff\x7f" + bytes(20), "longer than its message"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "without an end"),
        (b"\x0b" + bytes(20), "another kind"),
        (good[:-1] + b"", "longer than its message"),
    ):
        with pytest.raises(RowError, match=match):
            members(framed(body))
    entries = b"".join(b"\x0a\x05\x0a\x01a\x12\x00" for _ in range(5000))
    size = len(entries)
    packed = b"\x0a" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + entries
    with pytest.raises(RowError, match="at most 4096 features"):
        members(framed(packed))


def test_names_that_leave_the_archive_stay_visible_to_the_one_who_refuses_them() -> None:
    paths = [member.path for member, _ in members(framed(record({"../../evil": [PNG], "a\\b": [PNG]})))]
    assert sorted(paths) == ["000000/../../evil", "000000/a/b"]


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_record_is_members_or_an_error(body: bytes) -> None:
    try:
        members(framed(body))
    except RowError:
        return
