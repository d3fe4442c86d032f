"""What is said of the words of captions: cut, weighed oddly, or trained as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.audit import Audit, quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import build_index
from trainer_core.dataset.subsets import CaptionRules, SampleSettings
from trainer_core.settings.problems import Severity
from trainer_core.settings.token_lengths import LENGTH

FOLDER = "1_zxq toy"
PLAIN = CaptionRules()
WEIGHTED = CaptionRules(weighted_captions=True)


def audit_of(
    root: Path,
    files: dict[str, str | bytes | None],
    rules: CaptionRules = PLAIN,
    *,
    folder: str = FOLDER,
) -> Audit:
    write_dataset(root, {folder: files})
    index = build_index(root, plain_repeats=1)
    settings = SampleSettings(rules=BucketRules((64, 64)), captions=rules)
    return quick_audit(index, {0: settings})


def only(audit: Audit) -> Finding:
    (finding,) = audit.findings
    return finding


def findings_of(root: Path, caption: str, rules: CaptionRules) -> list[Finding]:
    return list(audit_of(root, {"a.png": None, "a.txt": caption}, rules).findings)


# ------------------------------------------------------------------ captions that are too long


def test_a_caption_beyond_the_limit_is_a_warning_beside_its_picture(tmp_path: Path) -> None:
    audit = audit_of(
        tmp_path, {"a.png": None, "a.txt": "cat " * 76, "b.png": None, "b.txt": "cat " * 75}
    )
    finding = only(audit)
    assert (finding.path, finding.severity) == (tmp_path / FOLDER / "a.png", Severity.WARNING)
    assert "has 76 tokens; only the first 75 are read" in str(finding.message)


@pytest.mark.parametrize(
    ("count", "limit", "changes"),
    [
        (75, 75, None),
        (76, 75, {LENGTH: 150}),
        (150, 75, {LENGTH: 150}),
        (151, 75, {LENGTH: 225}),
        (151, 150, {LENGTH: 225}),
        (225, 225, None),
        (226, 150, {}),
        (226, 225, {}),
    ],
)
def test_the_way_out_is_the_least_length_that_reads_it_all(
    tmp_path: Path, count: int, limit: int, changes: dict[str, object] | None
) -> None:
    files = {"a.png": None, "a.txt": "cat " * count}
    findings = audit_of(tmp_path, files, CaptionRules(max_token_length=limit)).findings
    assert [finding.changes for finding in findings] == ([] if changes is None else [changes])
    for finding in findings:
        assert f"{count} tokens; only the first {limit} are read" in str(finding.message)
        is_beyond_all = "At most 225 tokens can be read" in str(finding.suggestion)
        assert is_beyond_all == (changes == {})


def test_only_the_line_that_is_trained_counts(tmp_path: Path) -> None:
    finding = only(audit_of(tmp_path, {"a.png": None, "a.txt": "cat\n" + "cat " * 76}))
    assert finding.severity is Severity.NOTICE


def test_the_words_of_a_folder_count_once(tmp_path: Path) -> None:
    name = ("1_" + "a " * 80).strip()
    found = audit_of(tmp_path, {"a.png": None, "b.png": None}, folder=name).findings
    long = [finding for finding in found if "tokens" in str(finding.message)]
    assert [finding.path.name for finding in long] == [name]


def test_what_is_put_around_a_caption_counts(tmp_path: Path) -> None:
    rules = CaptionRules(caption_prefix="cat", caption_suffix="dog")
    [finding] = findings_of(tmp_path, "cat " * 74, rules)
    assert "has 76 tokens" in str(finding.message)


# ------------------------------------------------------------------ weights


def test_a_weight_that_is_none_is_an_error_beside_its_picture(tmp_path: Path) -> None:
    finding = only(audit_of(tmp_path, {"a.png": None, "a.txt": "a (cat:1.2.3)"}, WEIGHTED))
    assert (finding.path, finding.severity) == (tmp_path / FOLDER / "a.png", Severity.ERROR)
    assert str(finding.message).endswith("a.png the weight 1.2.3 is no number: (cat:1.2.3)")
    assert "such as 1.2" in str(finding.suggestion)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("a (cat, dog", "opens ( and does not close it"),
        ("a [cat:1.2)", "opens [ and does not close it"),
        ("a cat) dog", "closes ) without opening it"),
    ],
)
def test_a_bracket_without_its_other_one_is_a_warning(
    tmp_path: Path, caption: str, words: str
) -> None:
    [finding] = findings_of(tmp_path, caption, WEIGHTED)
    assert finding.severity is Severity.WARNING
    assert words in str(finding.message)


@pytest.mark.parametrize("caption", ["(a:1.2), [b], ((c))", "a \\(b\\)", "a, b"])
def test_weights_in_order_are_not_mentioned(tmp_path: Path, caption: str) -> None:
    assert findings_of(tmp_path, caption, WEIGHTED) == []


@pytest.mark.parametrize(
    ("caption", "shuffle", "is_torn"),
    [("(a, b:1.2)", True, True), ("(a, b:1.2)", False, False), ("(a:1.2), b", True, False)],
)
def test_a_weight_of_several_tags_is_a_warning_where_they_are_shuffled(
    tmp_path: Path, caption: str, shuffle: bool, is_torn: bool
) -> None:
    rules = CaptionRules(weighted_captions=True, shuffle_caption=shuffle)
    found = findings_of(tmp_path, caption, rules)
    assert ["tear apart" in str(finding.message) for finding in found] == [True] * is_torn


@pytest.mark.parametrize(
    ("caption", "changes"),
    [
        ("(cat:1.2)", {"captions.weighted_captions": True}),
        ("a {red|blue} cat", {"captions.enable_wildcard": True}),
        ("miku (vocaloid), :) a|b", None),
    ],
)
def test_what_looks_meant_otherwise_is_told_with_the_setting_for_it(
    tmp_path: Path, caption: str, changes: dict[str, object] | None
) -> None:
    found = findings_of(tmp_path, caption, PLAIN)
    assert [finding.changes for finding in found] == ([] if changes is None else [changes])
    assert all(finding.severity is Severity.NOTICE for finding in found)


# ------------------------------------------------------------------ several lines


def test_all_lines_are_used_with_wildcards(tmp_path: Path) -> None:
    files = {"a.png": None, "a.txt": " one\n\ntwo {a|b} \n"}
    audit = audit_of(tmp_path, files, CaptionRules(enable_wildcard=True))
    assert audit.findings == ()
    assert list(audit.captions.values()) == ["one\ntwo {a|b}"]


def test_every_line_is_looked_at_with_wildcards(tmp_path: Path) -> None:
    rules = CaptionRules(enable_wildcard=True, weighted_captions=True)
    [finding] = findings_of(tmp_path, "one\n(two:1.2.3)", rules)
    assert finding.severity is Severity.ERROR
