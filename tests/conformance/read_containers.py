"""read_containers -- reads the containers in the folder that is argument 1 with h5py and pandas, by
datasets/FORMAT.md alone, and recomputes their digests, seals and ledger. Exit status 77 is a skip:
h5py or pandas is missing."""
import hashlib
import json
import os
import struct
import sys

try:
    import h5py
    import numpy
    import pandas
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

FOLDER = sys.argv[1]
SUBJECTS, PER, LENGTH = 20, 4, 16
KINDS = {"dataset": "dataset", "templates": "templates", "evidence": "evidence",
         "segment": "partial", "matrix": "matrix"}
LABELLED = ["instance", "session", "environment", "legal_basis"]


def path(name):
    return os.path.join(FOLDER, name)


def u64(value):
    return struct.pack("<Q", int(value) & (2**64 - 1))


def string(value):
    value = value if isinstance(value, bytes) else value.encode()
    return u64(len(value)) + value


def double(value):
    return struct.pack("<d", value) if value == value else u64(0x7FF8000000000000)


def strings(dataset):
    return [s.decode() for s in dataset[:]]


def sha256(data):
    return hashlib.sha256(data)


# ---- canonical serialisations ----

def labels_of(file, name):
    labels = strings(file["labels"][name])
    return [labels[code] for code in file["samples"][name][:]]


def attribute_bytes(group):
    numeric = group.attrs["kind"] == "numeric"
    sources = ["not stated", "self-reported", "officer", "document", "inferred", "by construction"]
    labels = strings(group["labels"])
    data = string(group.attrs["name"]) + u64(numeric) + u64(group.attrs["level"] == "sample")
    data += u64(sources.index(group.attrs["source"])) + u64(len(labels))
    data += b"".join(map(string, labels)) + string("codes") + b"".join(map(u64, group["codes"][:]))
    if numeric:
        data += string("values") + b"".join(map(double, group["values"][:])) + string("bins")
        for low, high in zip(group["bin_low"][:], group["bin_high"][:]):
            data += double(low) + double(high)
    return data


def table_bytes(file, with_enrolment):
    samples = file["samples"]
    data = string("assay-sample-table/1") + u64(samples.attrs["count"])
    for name in ["sample_id", "subject_id"]:
        data += string(name) + b"".join(map(string, strings(samples[name])))
    data += string("path") + u64("path" in samples)
    if "path" in samples:
        data += b"".join(map(string, strings(samples["path"])))
    for name in LABELLED:
        data += string(name) + b"".join(map(string, labels_of(file, name)))
    for name in ["captured", "retain_until"]:
        data += string(name) + b"".join(map(u64, samples[name][:]))
    data += string("quality") + b"".join(map(double, samples["quality"][:]))
    data += string("image_digest") + samples["image_sha256"][:].tobytes()
    if with_enrolment:
        data += string("enrolment") + b"".join(map(u64, samples["enrolment"][:]))
        reasons = labels_of(file, "enrolment_reason")
        data += string("enrolment_reason") + b"".join(map(string, reasons))
    groups = [file["attributes"][name] for name in sorted(file["attributes"])]
    data += string("attributes") + u64(file["attributes"].attrs["count"])
    return data + b"".join(map(attribute_bytes, groups))


def list_bytes(comparisons):
    rows = comparisons[:]
    packed = b"".join(struct.pack("<qiIIB", row["fine"], row["coarse"], row["i"], row["j"],
                                  row["direction"]) for row in rows)
    return u64(len(rows)) + packed


def result_bytes(file):
    result = file["result"]
    values = result.attrs
    data = string("assay-result/1") + sha256(table_bytes(file, True)).digest()
    data += string(file["protocol"][()]) + string(file.attrs["comparator"])
    data += u64(values["exponent"])
    data += double(values["coarse_scale"]) + double(values["bound"])
    for name in ["bin_lowest", "bin_shift", "bin_count"]:
        data += u64(values[name])
    data += u64(7) + b"".join(map(u64, result["relations"][:])) + list_bytes(result["mated"])
    for name in ["tail_limit", "tail_complete", "tail_floor"]:
        data += u64(values[name])
    data += list_bytes(result["tail"])
    combinations = result["combinations"]
    data += u64(combinations.shape[0]) + u64(combinations.shape[1])
    data += b"".join(map(u64, combinations[:].flatten())) + u64(values["histogram_pairs"])
    counters = result["histogram"][:].flatten() if "histogram" in result else []
    data += u64(len(counters)) + b"".join(map(u64, counters))
    if "failed" in result:
        failed = result["failed"]
        data += string("failed") + u64(failed.attrs["mated"]) + u64(failed.attrs["non_mated"])
        data += b"".join(map(u64, failed["pairs"][:].flatten())) if "pairs" in failed else b""
    return data


# ---- checks ----

def check_seal(name, what):
    data = open(path(name), "rb").read()
    seal = json.load(open(path(name + ".seal")))
    assert seal["format"] == "assay-seal/1" and seal["what"] == what and seal["file"] == name
    assert seal["size"] == len(data) and seal["sha256"] == sha256(data).hexdigest()
    size = seal["block_size"]
    assert size == 8 << 20
    blocks = [sha256(data[at:at + size]).hexdigest() for at in range(0, len(data), size)]
    assert seal["blocks"] == blocks
    own = string("assay-seal/1") + string(what) + u64(len(data)) + bytes.fromhex(seal["sha256"])
    own += u64(size) + u64(len(blocks)) + b"".join(map(bytes.fromhex, blocks))
    own += u64(len(seal["extents"]))
    for extent in seal["extents"]:
        own += u64(extent["offset"]) + u64(extent["length"])
    assert seal["values_sha256"] == sha256(own).hexdigest()
    return seal


def check_ledger():
    previous, known = "0" * 64, {}
    lines = open(path("assay-ledger.jsonl"), "rb").read().split(b"\n")
    assert lines.pop() == b""
    for n, line in enumerate(lines, 1):
        record = json.loads(line)
        assert record["n"] == n and record["prev"] == previous and record["event"] == "sealed"
        previous = sha256(line).hexdigest()
        known[record["file"]] = record
    for name, what in KINDS.items():
        record = known[name + ".h5"]
        assert record["what"] == what
        for key, suffix in [("sha256", ".h5"), ("seal_sha256", ".h5.seal")]:
            with open(path(name + suffix), "rb") as file:
                assert record[key] == sha256(file.read()).hexdigest()


def check_root(name, file):
    assert file.attrs["format"] == "assay-" + KINDS[name] and isinstance(file.attrs["format"], str)
    assert (file.attrs["format_version_major"], file.attrs["format_version_minor"]) == (1, 2)
    assert file.attrs["created_by"].startswith("assay ")


def check_layout(name, dataset):
    """Only what a seal has extents of may lack a checksum of its own."""
    if isinstance(dataset, h5py.Dataset) and dataset.size and dataset.shape:
        contiguous = name in ("images/bytes", "templates/vectors")
        assert dataset.fletcher32 != contiguous, name


def check_table(file, enrolled):
    samples, rows = file["samples"], SUBJECTS * PER
    columns = {name: samples[name][:] for name in samples if samples[name].ndim == 1}
    frame = pandas.DataFrame(columns)
    assert len(frame) == rows
    for name in ["sample_id", "subject_id", "path"]:
        frame[name] = frame[name].str.decode("utf-8")
    assert frame["sample_id"][7] == "sample 7" and frame["sample_id"].is_unique
    assert frame["subject_id"][79] == "S0019-é" and frame["subject_id"].nunique() == SUBJECTS
    assert (frame["path"] == "").sum() == sum(row % 11 == 10 for row in range(rows))
    assert frame["captured"][0] == -2**63 and frame["captured"][5] == 1500000000 + 5 * 86400
    assert numpy.isnan(frame["quality"][0]) and 0 <= frame["quality"][1] < 100
    names = h5py.check_enum_dtype(samples["session"].dtype)
    assert names == {"(not given)": 0, "day 1": 1, "day 2": 2}
    names = h5py.check_enum_dtype(samples["enrolment"].dtype)
    assert names == {"none": 0, "enrolled": 1, "refused": 2, "failed": 3, "excluded": 4}
    assert set(frame["enrolment"]) == ({1, 2, 3} if enrolled else {0})
    sex, age = file["attributes/0000"], file["attributes/0001"]
    words = [sex.attrs[name] for name in ["name", "level", "source"]]
    assert words == ["sex", "subject", "self-reported"]
    assert (age.attrs["name"], age.attrs["kind"]) == ("age/years", "numeric")
    names = h5py.check_enum_dtype(sex["codes"].dtype)
    assert names == {"(missing)": 0, "(unknown)": 1, "(several)": 2, "female": 3, "male": 4}
    assert list(age["bin_low"][:]) == [0, 18, 36] and age["bin_high"][2] == numpy.inf


def check_dataset(file):
    check_table(file, False)
    assert file.attrs["name"] == "fixture" and json.loads(file["notes"][()]) == {"licence": "none"}
    data = string("assay-dataset/1") + table_bytes(file, False)
    assert file.attrs["digest"] == sha256(data).hexdigest()
    images = file["images"]
    for row, (at, length) in enumerate(zip(images["offset"][:], images["length"][:])):
        data = images["bytes"][int(at):int(at + length)].tobytes()
        digest = file["samples/image_sha256"][row].tobytes()
        assert digest == (sha256(data).digest() if length else bytes(32))
    check_extent("dataset", images["bytes"])


def check_extent(name, dataset):
    seal = json.load(open(path(name + ".h5.seal")))
    offset = dataset.id.get_offset()
    assert seal["extents"] == [{"offset": offset, "length": dataset.size * dataset.dtype.itemsize}]


def check_templates(file):
    check_table(file, True)
    vectors = file["templates/vectors"]
    assert vectors.shape == (SUBJECTS * PER, LENGTH) and vectors.dtype == numpy.dtype("<f4")
    enrolled = file["samples/enrolment"][:] == 1
    assert (vectors[:][~enrolled] == 0).all() and (vectors[:][enrolled] != 0).all()
    data = string("assay-templates/1") + sha256(table_bytes(file, True)).digest()
    for name in ["release", "version", "algorithm"]:
        data += string(file.attrs[name])
    data += u64(LENGTH) + vectors[:].tobytes()
    assert file.attrs["digest"] == sha256(data).hexdigest()
    check_extent("templates", vectors)


def check_evidence(file):
    check_table(file, True)
    result = file["result"]
    for name in ["mated", "tail"]:
        frame = pandas.DataFrame(result[name][:])
        assert list(frame.columns) == ["fine", "coarse", "i", "j", "direction", "score"]
        assert (frame["i"] < frame["j"]).all() and frame["fine"].is_monotonic_decreasing
        assert (frame["score"] == frame["fine"] * 2.0 ** (-2 * int(result.attrs["exponent"]))).all()
        subject = file["samples/subject"][:]
        same = subject[frame["i"]] == subject[frame["j"]]
        assert same.all() if name == "mated" else not same.any()
    names = h5py.check_enum_dtype(result["tail"].dtype["direction"])
    assert names == {"none": 0, "i is the reference": 1, "j is the reference": 2}
    relations = dict(zip(strings(result["relation_names"]), result["relations"][:]))
    assert len(relations) == 7 and sum(relations.values()) > 2000
    counted = result["histogram"][:].sum()
    assert counted == result.attrs["histogram_pairs"] == result.attrs["non_mated"]
    assert len(result["tail"]) <= 200 == result.attrs["tail_limit"]
    assert json.loads(file["protocol"][()])["kind"] == "all"
    assert file.attrs["result_digest"] == sha256(result_bytes(file)).hexdigest()


def check_partial(file):
    assert (file.attrs["first_tile"], file.attrs["end_tile"]) == (4, 9)
    assert file["histogram"][:].sum() == file.attrs["histogram_pairs"]
    frame = pandas.DataFrame(file["tail"][:])
    assert len(frame) == 300 and (frame["score"] == frame["fine"]).all()


def check_matrix(file):
    assert strings(file["sample_id"]) == ["sample 0", "sample 2", "sample 5"]
    assert list(file["row"][:]) == [0, 2, 5]
    frame = pandas.DataFrame(file["scores"][:])
    assert frame[1][0] == 0.5 and frame[2][1] == -1 and numpy.isnan(frame[0][0])


CHECKS = {"dataset": check_dataset, "templates": check_templates, "evidence": check_evidence,
          "segment": check_partial, "matrix": check_matrix}
for kind, check in CHECKS.items():
    check_seal(kind + ".h5", KINDS[kind])
    with h5py.File(path(kind + ".h5"), "r") as container:
        check_root(kind, container)
        container.visititems(check_layout)
        check(container)
check_ledger()
print("h5py", h5py.__version__, "and pandas", pandas.__version__, "read all five kinds")
