"""`gwc adapter new`: the few questions that nobody but the engineer can answer, then what `inspect` does.

Asked only where a flag has not said it: the kind of store, where it is, the name of the variable with the password
(never the password), the region where the store does not tell, the asset table where two look alike.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import typer

from adapters.kit.draft import Draft, write_draft
from adapters.kit.survey import Survey
from contract.regions import REGIONS
from gwc.errors import CommandError
from gwc.kit.console import open_console
from gwc.kit.run import CANNOT_RUN, next_lines, refuse_to_overwrite, survey_of, write_new
from gwc.kit.show import survey_lines

__all__ = ["Answers", "new"]

_SERVERS = ("postgresql", "mariadb", "mysql", "mongodb")
_FOLDERS = ("csv", "jsonl")
_KINDS = ("sqlite", *_SERVERS, *_FOLDERS, "xlsx")
_PASSWORD_ENV = "GWC_STORE_PASSWORD"
_EXAMPLE_HEAD = "# Copy to .env, fill in, and keep it out of version control."
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
Fault: TypeAlias = Callable[[str], str | None]
_ALIKE = 0.15
"""Two tables whose scores differ by less are asked about."""


@dataclass(frozen=True, slots=True)
class Answers:
    kind: str | None
    url: str | None
    host: str | None
    database: str | None
    user: str | None
    password_env: str | None
    region: str | None
    table: str | None


def new(answers: Answers, out: Path | None, seconds: float, force: bool, *, asks: bool) -> None:
    ask = _Asker(asks and sys.stdin.isatty())
    if answers.region is not None and answers.region not in REGIONS:
        raise CommandError(f"{answers.region} is no region.", f"One of {', '.join(REGIONS)}", CANNOT_RUN)
    answers, variable = _where(answers, ask)
    assert answers.url is not None
    survey = survey_of(answers.url, seconds)
    draft = _drafted(survey, answers, out or Path("draft.toml"), ask)
    target = out or Path(f"{draft.region}.toml")
    refuse_to_overwrite(target, force)
    console = open_console()
    for line in survey_lines(survey, draft):
        console.print(line)
    write_new(target, draft.text)
    if variable is not None:
        example = target.with_name(".env.example")
        _name_variable(example, variable)
        console.print(f"\n{example}: the variables that the mapping needs.")
    for line in next_lines(target, draft):
        console.print(line)


def _name_variable(example: Path, variable: str) -> None:
    """Once, below what is there already."""
    text = example.read_text(encoding="utf-8") if example.exists() else _EXAMPLE_HEAD
    if f"{variable}=" not in text.splitlines():
        write_new(example, f"{text.rstrip()}\n{variable}=\n")


class _Asker:
    """Asks on a terminal; elsewhere a missing answer ends the command with the flag that gives it."""

    def __init__(self, may_ask: bool) -> None:
        self.may_ask = may_ask

    def text(self, question: str, flag: str, default: str | None = None, fault: Fault = lambda given: None) -> str:
        """`fault` says what is wrong with an answer; it is then asked for again."""
        while True:
            given = self._given(question, flag, default)
            wrong = fault(given)
            if wrong is None:
                return given
            if not self.may_ask:
                raise CommandError(wrong, f"See {flag}.", CANNOT_RUN)
            typer.echo(wrong)

    def _given(self, question: str, flag: str, default: str | None) -> str:
        if self.may_ask:
            return str(typer.prompt(question, default=default)).strip()
        if default is not None:
            return default
        raise CommandError(f"{question}?", f"Say it by {flag}; nobody can be asked here.", CANNOT_RUN)

    def choice(self, question: str, flag: str, choices: tuple[str, ...], default: str | None = None) -> str:
        named = ", ".join(choices)
        return self.text(
            f"{question} ({named})", flag, default, lambda given: None if given in choices else f"It is one of {named}."
        )


def _where(answers: Answers, ask: _Asker) -> tuple[Answers, str | None]:
    """The answers with a url, and the variable that it needs."""
    if answers.url is not None:
        return answers, answers.password_env
    kind = answers.kind or ask.choice("What kind of store is it", "--kind", _KINDS)
    if kind not in _SERVERS:
        path = ask.text("Path of the folder" if kind in _FOLDERS else "Path of the file", "--url", fault=_path_fault)
        return replace(answers, kind=kind, url=path), None
    host = answers.host or ask.text("Host, or host:port", "--host")
    database = answers.database or ask.text("Database", "--database")
    user = answers.user or ask.text("Account (one that may only read)", "--user")
    variable = answers.password_env
    if variable is None:
        question = "Environment variable with the password (Ctrl-C, and export it, if there is none yet)"
        variable = ask.text(question, "--password-env", _PASSWORD_ENV, _variable_fault)
    elif (wrong := _variable_fault(variable)) is not None:
        raise CommandError(wrong, f"export {variable}=… and start again.", CANNOT_RUN)
    url = f"{kind}://{user}:${{{variable}}}@{host}/{database}"
    return replace(answers, kind=kind, url=url), variable


def _path_fault(path: str) -> str | None:
    return None if Path(path).exists() else f"There is no file or folder {path}."


def _variable_fault(variable: str) -> str | None:
    """What is no name is not repeated: it may be the password itself."""
    if _NAME.fullmatch(variable) is None:
        return "That is no name of a variable."
    return None if variable in os.environ else f"The environment has no {variable}."


def _drafted(survey: Survey, answers: Answers, out: Path, ask: _Asker) -> Draft:
    draft = write_draft(survey, out, answers.region, answers.table)
    region, table = answers.region, answers.table
    if table is None and draft.guess.others and draft.guess.best.score - draft.guess.others[0].score < _ALIKE:
        names = tuple(guess.table.name for guess in (draft.guess.best, *draft.guess.others[:4]))
        table = ask.choice("Which is the asset table", "--table", names, names[0])
    if region is None:
        region = ask.choice(
            "Which region is it", "--region", tuple(REGIONS), draft.region if draft.region_is_known else None
        )
    return write_draft(survey, out, region, table)
