"""What the documents name exists: commands, options, make targets, files, links, configuration keys."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from ringcollect.cli import COMMANDS, group
from tests.house.tree import ROOT

DOCUMENTS = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if path.is_file()]

CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s(|$&;])(?:\.venv/bin/)?ringcollect((?: +[^\s|;&)#`]+)*)", re.MULTILINE)
TARGET = re.compile(r"(?:^|[\s(;&])make((?: +[a-z][a-z-]*)+)(?![\w=])", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
REPOSITORY_PATH = re.compile(
    r"(?<![\w/.*<-])((?:ringcollect|tests|docs|benchmarks|examples|systemd|grafana|\.ci)/[\w./-]*[\w/]|config\.toml|Makefile|LICENSE)"
)
by_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def code_of(document: Path) -> list[str]:
    """Code blocks and code words of a document."""
    return [block or word for block, word in CODE.findall(document.read_text(encoding="utf-8"))]


def options_of(command: click.Command) -> dict[str, click.Option]:
    options = {name: p for p in command.params if isinstance(p, click.Option) for name in (*p.opts, *p.secondary_opts)}
    return options | {"--help": click.Option(["--help"], is_flag=True)}


def problem_of(words: list[str]) -> str | None:
    """What is wrong with ``ringcollect <words>``; None if it is a command line of ours."""
    command: click.Command = group
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            option = options_of(command).get(word.split("=")[0])
            if option is None:
                return f"{command.name} has no option {word}"
            if not option.is_flag and not option.count and "=" not in word and rest:
                rest.pop(0)
        elif command is group:
            if word not in COMMANDS:
                return f"no command {word}"
            command = importlib.import_module(f"ringcollect.cli.{word}").command
        elif isinstance(command, click.Group):
            names = re.split(r"\\?\|", word)
            unknown = [name for name in names if name not in command.commands]
            if unknown:
                return f"{command.name} has no command {unknown[0]}"
            command = command.commands[names[0]]
    return None


def test_there_are_documents() -> None:
    assert ROOT / "README.md" in DOCUMENTS


@by_document
def test_every_command_line_in_a_document_is_one_of_ours(document: Path) -> None:
    wrong = []
    for text in code_of(document):
        for match in COMMAND.finditer(text):
            words = match[1].replace("\\\n", " ").split()
            if words and (words[0] in ("=", "import", "/") or not re.match(r"-|[a-z]+$", words[0])):
                continue  # prose or Python about the package, not a command line
            problem = problem_of([word for word in words if word not in ("\\", "...", "…")])
            if problem:
                wrong.append(f"ringcollect{match[1]}: {problem}")
    assert wrong == []


@by_document
def test_every_make_target_in_a_document_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for text in code_of(document) for match in TARGET.finditer(text) for word in match[1].split()}
    assert named <= targets


@by_document
def test_every_file_a_document_names_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = {match for code in code_of(document) for match in REPOSITORY_PATH.findall(code)}
    missing = sorted(path for path in named if not (ROOT / path).exists())
    links = sorted(link for link in LINK.findall(text) if "://" not in link and not (document.parent / link).exists())
    assert (missing, links) == ([], [])


def test_the_makefile_names_only_files_and_commands_that_exist() -> None:
    text = (ROOT / "Makefile").read_text()
    for words in re.findall(r"\$\(BIN\)/ringcollect ([^\n]+)", text):
        assert problem_of(words.split()) is None, words
