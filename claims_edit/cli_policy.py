"""The commands of policy authors: what there is, what it asks, whether it is in order, what differs."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from claims_edit import cli_options as opts
from claims_edit.errors import UsageError
from claims_edit.screen import say

if TYPE_CHECKING:
    from claims_edit.policies import Policy, PolicyVersion


@click.group()
def policy() -> None:
    """List, show, check and compare the policies of the reference data.

    \b
    claims-edit policy show prime-ic-0072
    """


@policy.command("list")
@opts.REFERENCE
def list_policies(**options: Any) -> None:
    """List every version of every policy: id, title, version, status and dates.

    \b
    claims-edit policy list
    """
    from claims_edit.policies import load_policy, policy_ids
    from claims_edit.report.policies import listed

    folder = opts.reference_folder(options)
    say(listed([load_policy(folder, policy_id) for policy_id in policy_ids(folder)]))


@policy.command("show")
@click.argument("name", metavar="POLICY[@VERSION]")
@opts.REFERENCE
def show_policy(name: str, **options: Any) -> None:
    """Show everything that a policy asks, or one version of it: sections, codes, actions, criteria.

    \b
    claims-edit policy show prime-ic-0072
    """
    from claims_edit.report.policies import shown

    loaded, versions = _named(opts.reference_folder(options), name)
    say(shown(loaded, versions))


@policy.command("diff")
@click.argument("one", metavar="POLICY[@VERSION]")
@click.argument("other", metavar="POLICY[@VERSION]")
@opts.REFERENCE
def diff_policies(one: str, other: str, **options: Any) -> None:
    """Show two versions side by side where they differ: tables, limits, actions, criteria, sentences.

    \b
    claims-edit policy diff POLICY@VERSION POLICY@DRAFT
    """
    from claims_edit.report.policies import differences, differing, parts

    folder = opts.reference_folder(options)
    sides = [parts(*_one_version(folder, name)) for name in (one, other)]
    say(differing((one, other), differences(*sides)))


@policy.command("check")
@click.argument("names", metavar="[POLICY]...", nargs=-1)
@opts.REFERENCE
@opts.AS_OF
def check_policies(names: tuple[str, ...], **options: Any) -> None:
    """Check policies, or all: tables, dates, adjustment codes, rows that nothing reaches, and cases.

    \b
    claims-edit policy check prime-ic-0072
    """
    from claims_edit.cases import judge, read_cases
    from claims_edit.policies import load_policy, policy_ids
    from claims_edit.policy_check import not_asked, problems
    from claims_edit.reference import load_reference

    folder = opts.reference_folder(options)
    as_of: datetime | None = options["as_of"]
    day = as_of.date() if as_of is not None else date.today()
    reference = load_reference(folder)
    count = 0
    for name in names or policy_ids(folder):
        loaded = load_policy(folder, name, "POLICY")
        judged = judge(loaded, reference, read_cases(loaded))
        found = problems(loaded, reference, judged, day)
        count += len(found)
        say(f"{name}: {len(judged)} cases, {_problems(len(found))}")
        for problem in found:
            say(f"  {problem}")
        for version in loaded.versions:
            say(
                f"  version {version.version} does not ask: {', '.join(not_asked(version)) or 'nothing'}"
            )
    if count:
        raise UsageError(
            f"policy check: {_problems(count)}, see above; mend the policy or its cases."
        )


def _problems(count: int) -> str:
    return f"{count} problem{'' if count == 1 else 's'}"


def _named(folder: Path, name: str) -> tuple[Policy, tuple[PolicyVersion, ...]]:
    """A policy, and the versions that are meant: the one that is named, or all."""
    from claims_edit.policies import load_policy

    policy_id, _, version = name.partition("@")
    loaded = load_policy(folder, policy_id, "POLICY")
    return loaded, (loaded.version(version),) if version else loaded.versions


def _one_version(folder: Path, name: str) -> tuple[Policy, PolicyVersion]:
    """The one version that is meant: the one that is named, or the only active one."""
    loaded, versions = _named(folder, name)
    if len(versions) > 1:
        versions = loaded.active_versions
    if len(versions) != 1:
        names = ", ".join(f"{loaded.id}@{v.version}" for v in loaded.versions)
        raise UsageError(f"policy diff: {name}: which version? There is: {names}.")
    return loaded, versions[0]
