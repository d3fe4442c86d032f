import pytest

from desktop_app.document import Document
from desktop_app.models.settings_filter import SettingsFilter
from trainer_core.settings.schema import TRAIN


@pytest.fixture
def settings_filter(document: Document) -> SettingsFilter:
    return SettingsFilter(document, document)


def test_everything_passes_at_first(settings_filter: SettingsFilter):
    assert settings_filter.matching() == list(TRAIN.params())
    assert not settings_filter.is_active


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("NETWORK RANK", "adapter.network_dim"),  # label
        ("lr_warmup_steps", "optimizer.lr_warmup_steps"),  # name in files
        ("steps lr_warm", "optimizer.lr_warmup_steps"),  # parts in any order
        ("same seed and data", "hardware.seed"),  # help
        ("Network Rank (Dimension)", "adapter.network_dim"),  # label in kohya_ss
        ("LR Scheduler", "optimizer.lr_scheduler"),
        ("max_resolution", "buckets.resolution"),  # name in its files
        ("adamw8bit", "optimizer.optimizer_type"),  # value to choose
        ("training batch", "dataset.train_batch_size"),  # title of the group that it is shown in
    ],
)
def test_words_are_found_in_what_a_setting_is_called_and_where_it_stands(
    settings_filter, words: str, path: str
):
    settings_filter.set_words(words)
    assert path in settings_filter.matching()


def test_every_word_must_occur(settings_filter: SettingsFilter):
    settings_filter.set_words("network zebra")
    assert settings_filter.matching() == []


def test_a_word_of_the_help_is_found_by_its_beginning(settings_filter: SettingsFilter):
    settings_filter.set_words("rate")
    assert "optimizer.learning_rate" in settings_filter.matching()
    assert "captions.shuffle_caption" not in settings_filter.matching()  # "separated"
    settings_filter.set_words("separat")
    assert "captions.shuffle_caption" in settings_filter.matching()


def test_blanks_ask_for_nothing(settings_filter: SettingsFilter):
    settings_filter.set_words("  ")
    assert settings_filter.matching() == list(TRAIN.params())
    assert not settings_filter.is_active


def test_only_what_differs_passes(settings_filter: SettingsFilter, document: Document):
    settings_filter.set_only_changed(True)
    assert settings_filter.matching() == []
    document.set_value("hardware.seed", 5)
    assert settings_filter.matching() == ["hardware.seed"]


def test_only_what_has_a_problem_passes(settings_filter: SettingsFilter, document: Document):
    settings_filter.set_only_problems(True)
    document.set_value("adapter.network_dim", 0)
    assert "adapter.network_dim" in settings_filter.matching()
    assert "adapter.network_alpha" not in settings_filter.matching()


def test_what_is_asked_for_must_all_hold(settings_filter: SettingsFilter, document: Document):
    document.set_value("hardware.seed", 5)
    document.set_value("adapter.network_dim", 16)
    settings_filter.set_only_changed(True)
    settings_filter.set_words("seed")
    assert settings_filter.matching() == ["hardware.seed"]


def test_clearing_takes_everything_back_and_tells_once(settings_filter: SettingsFilter, qtbot):
    settings_filter.set_words("seed")
    settings_filter.set_only_changed(True)
    settings_filter.set_only_problems(True)
    told = []
    settings_filter.changed.connect(lambda: told.append(settings_filter.matching()))
    settings_filter.clear()
    settings_filter.clear()
    assert told == [list(TRAIN.params())]


def test_a_filter_ends_with_the_file_it_was_for(
    settings_filter: SettingsFilter, document: Document
):
    settings_filter.set_words("seed")
    settings_filter.set_only_changed(True)
    document.set_value("adapter.network_dim", 24)
    assert settings_filter.is_active
    document.new()
    assert not settings_filter.is_active
    assert settings_filter.words == ""
