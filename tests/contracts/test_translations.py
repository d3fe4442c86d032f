"""Every text for people can be found by ``lupdate`` and filled in when it is shown."""

import ast
import re
import string
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from helpers.source_tree import ROOT, Source, sources

from trainer_core import errors
from trainer_core.files.resources import resource_path
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import numbers_in

CONTEXTS = {"Settings", "Errors", "Problems", "Events", "App"}
# What takes a template and its named values.
TEXT_BUILDERS = ["text", "shown", *(name for name in vars(errors) if name.endswith("Error"))]
# A number before one of these words, which then is wrong where the number is 1.
COUNTED = re.compile(
    r"\{\w+\}( more| other| of these| sample)? (batches|buckets|bytes|captions|entries|epochs|files"
    r"|folders|images|layers|modules|packages|pictures|problems|prompts|repeats|runs|samples"
    r"|settings|states|steps|tags|tensors|threads|times|values|warnings|weights)\b(?!/)"
)
# Messages of a file of translations that the program no longer asks for.
GONE = ("vanished", "obsolete")
MARKED_BY = "QT_TRANSLATE_NOOP+=T"


def calls(source: Source, name: str) -> list[ast.Call]:
    """Return the calls of a function or method called ``name``."""
    found = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    return [call for call in found if name in (_attribute(call.func), _name(call.func))]


def _attribute(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None


def _name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def literals(call: ast.Call) -> list[str] | None:
    """Return the arguments if all are literal strings, else None."""
    values = [arg.value if isinstance(arg, ast.Constant) else None for arg in call.args]
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(call.args) and not call.keywords else None


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def for_one(template: str) -> str:
    """Return a template with every word that depends on a number in its form for 1."""
    return re.sub(r"\[\w+:([^]|]*)[^]]*\]", r"\1", template)


def marked_texts() -> list[tuple[str, str, str]]:
    """Return place, context and template of every marked text."""
    found = []
    for source in sources():
        for call in calls(source, "T"):
            texts = literals(call)
            if texts and len(texts) == 2:
                found.append((source.at(call.lineno), *texts))
    return found


@pytest.fixture(scope="module")
def extracted(tmp_path_factory) -> set[tuple[str, str]]:
    """Context and text of everything that ``lupdate`` finds."""
    catalogue = tmp_path_factory.mktemp("lupdate") / "texts.ts"
    tool = Path(sys.executable).with_name("pyside6-lupdate")
    files = [str(source.path) for source in sources()]
    command = [str(tool), "-tr-function-alias", MARKED_BY, *files, "-ts", str(catalogue)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return {
        (context.findtext("name", ""), message.findtext("source", ""))
        for context in ElementTree.parse(catalogue).iter("context")
        for message in context.iter("message")
    }


def test_marked_texts_are_literal():
    # lupdate reads an f-string as it stands, and the program then never finds it.
    wrong = [
        source.at(call.lineno)
        for source in sources()
        for call in calls(source, "T")
        if len(literals(call) or ()) != 2 and source.name != "trainer_core.texts"
    ]
    assert not wrong, "T() takes two literal strings: " + ", ".join(wrong)


def test_texts_given_to_tr_are_literal():
    wrong = [
        source.at(call.lineno)
        for source in sources()
        for call in calls(source, "tr")
        if not (call.args and isinstance(call.args[0], ast.Constant))
    ]
    assert not wrong, "tr() takes a literal string: " + ", ".join(wrong)


def test_texts_are_marked_under_a_known_context():
    unknown = [f"{at}: {context}" for at, context, _ in marked_texts() if context not in CONTEXTS]
    assert not unknown, "\n".join(unknown)


def test_lupdate_finds_every_marked_text(extracted):
    missed = [
        f"{at}: {template}"
        for at, context, template in marked_texts()
        if (context, template) not in extracted
    ]
    assert marked_texts()
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("param", TRAIN.params().values(), ids=lambda param: param.path)
def test_lupdate_finds_every_text_of_a_parameter(param, extracted):
    spec = param.spec
    # A choice may be shown by the very name that it has in the file: AdamW, fp16.
    labels = [choice.label for value, choice in spec.choices.items() if choice.label != value]
    helps = [choice.help for choice in spec.choices.values()]
    units = [spec.unit] if len(spec.unit) > 2 else []  # px and % are the same everywhere
    texts = filter(None, [spec.label, spec.help, spec.unset_label, *units, *labels, *helps])
    missed = [text for text in texts if ("Settings", text) not in extracted]
    assert not missed, param.path


def messages(path: Path) -> set[tuple[str, str]]:
    """Return context and source of what a file of translations has for the program of today."""
    return {
        (context.findtext("name", ""), message.findtext("source", ""))
        for context in ElementTree.parse(path).iter("context")
        for message in context.iter("message")
        if message.find("translation").get("type") not in GONE
    }


@pytest.fixture(scope="module")
def translatable(extracted) -> set[tuple[str, str]]:
    """Everything marked, and the names of choices, which a language may write otherwise."""
    params = TRAIN.params().values()
    choices = [choice for param in params for choice in param.spec.choices.values()]
    return extracted | {("Settings", choice.label) for choice in choices}


def test_every_language_translates_texts_that_there_are(translatable):
    stale = [
        f"{path.name}, {context}: {source}"
        for path in sorted(resource_path("languages").glob("*.ts"))
        for context, source in sorted(messages(path) - translatable)
    ]
    assert not stale, "run pyside6-lupdate again:\n" + "\n".join(stale)


def test_a_translation_of_a_text_that_there_is_not_is_found(translatable, tmp_path):
    known = sorted(translatable)[0]
    file = tmp_path / "de.ts"
    lines = [
        f"<context><name>{context}</name><message><source>{escape(source)}</source>"
        f"<translation {kind}>x</translation></message></context>"
        for context, source, kind in (
            (*known, ""),
            ("App", "No such text", ""),
            ("App", "No longer", 'type="vanished"'),
        )
    ]
    file.write_text(f"<TS language='de'>{''.join(lines)}</TS>", encoding="utf-8")

    assert messages(file) - translatable == {("App", "No such text")}


def test_placeholders_are_plain_names():
    wrong = []
    for at, _, template in marked_texts():
        try:
            is_plain = all(name.isidentifier() for name in placeholders(template))
        except ValueError:
            is_plain = False
        if not is_plain:
            wrong.append(f"{at}: {template}")
    assert not wrong, "\n".join(wrong)


def test_words_by_number_go_with_a_number_that_is_shown():
    wrong = [
        f"{at}: {template}"
        for at, _, template in marked_texts()
        if not numbers_in(template) - {"value"} <= placeholders(template)
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_counted_is_right_for_one_too():
    wrong = [
        f"{at}: {template}"
        for at, _, template in marked_texts()
        if COUNTED.search(for_one(template))
    ]
    assert not wrong, "write {count} [count:file|files]:\n" + "\n".join(wrong)


def test_values_are_given_for_every_placeholder():
    lacking = [
        f"{source.at(call.lineno)}: {', '.join(sorted(missing))}"
        for source in sources()
        for builder in TEXT_BUILDERS
        for call in calls(source, builder)
        if (missing := missing_values(call))
    ]
    assert not lacking, "\n".join(lacking)


def missing_values(call: ast.Call) -> set[str]:
    """Return the placeholders of the texts marked in ``call`` that its keywords do not fill."""
    given = {keyword.arg for keyword in call.keywords}
    if None in given:  # **values
        return set()
    marked = [arg for arg in call.args if isinstance(arg, ast.Call) and _name(arg.func) == "T"]
    templates = [texts[1] for texts in map(literals, marked) if texts and len(texts) == 2]
    return {name for template in templates for name in placeholders(template)} - given
