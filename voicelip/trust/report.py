"""A verification report for people, as lines and a tree, and for programs, as plain values."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from voicelip.trust.claim import DIGITAL_SOURCE_TYPES
from voicelip.trust.provenance import Ingredient, Provenance
from voicelip.trust.verify import Report, Verdict

if TYPE_CHECKING:
    from rich.tree import Tree

_SAID = {
    Verdict.AUTHENTIC: "authentic: intact credentials of a trusted signer, nothing synthetic declared",
    Verdict.SYNTHETIC: "synthetic, and declared so",
    Verdict.TAMPERED: "tampered with: it is not what was signed",
    Verdict.NOTHING: "nothing found: no content credentials",
    Verdict.SUSPICIOUS: "suspicious: signs of synthesis, and no content credentials",
}
_MARKED = "suspicious: the watermark of voicelip was found, its credentials are gone (re-encoded or re-muxed)"
_DENIED = "suspicious: signs of synthesis, of which the credentials say nothing"
_UNRELIABLE = "nothing to rely on: the credentials are intact, but their signer is unknown"
_SIGNED_BY = {
    "trusted": "intact credentials of a trusted signer",
    "untrusted": "intact credentials of an unknown signer",
}
_CONSENT = {
    "valid": "valid, as kept here",
    "revoked": "revoked here",
    "expired": "expired, as kept here",
    "unusable": "the records kept here cannot be relied on",
    "unknown": "not known here",
}
_WHAT_IT_WAS = {"parentOf": "edited from", "componentOf": "contains", "inputTo": "a model was given"}


def verdict_line(report: Report) -> str:
    """Such as `out.mp4: synthetic, and declared so (intact credentials of an unknown signer)`."""
    said = _SAID[report.verdict]
    if report.verdict is Verdict.NOTHING and report.credentials != "none":
        said = _UNRELIABLE
    if report.verdict is Verdict.SUSPICIOUS:
        said = _suspicion(report)
    details = [report.note] if report.note else []
    if report.verdict is Verdict.SYNTHETIC:
        details.append(_SIGNED_BY[report.credentials])
    if report.verdict is Verdict.TAMPERED:
        details.extend(dict.fromkeys(problem.at for problem in report.problems))
    return f"{report.path}: {said}" + (f" ({'; '.join(details)})" if details else "")


def _suspicion(report: Report) -> str:
    if report.credentials != "none":
        return _DENIED
    return _MARKED if report.is_marked else _SAID[Verdict.SUSPICIOUS]


def evidence_lines(report: Report) -> list[str]:
    """The watermark, the consent records, and what was looked for in the picture: one line each."""
    lines = [f"watermark: {_heard(report)}"]
    lines += [f"consent {each.id}: {_CONSENT[each.status]}" for each in report.consents]
    return lines + [each.line for each in report.signals]


def _heard(report: Report) -> str:
    found = report.watermark
    if found is None:
        return "no sound to look in"
    if not found.is_found:
        return "not found"
    speed = "" if found.speed == 1 else f", the sound plays at {found.speed:g} times its speed"
    return f"found (score {found.score:.2f}; 0.5 and above counts{speed})"


def provenance_tree(report: Report) -> "Tree | None":
    """How the file came to be, for a terminal; None if it does not say."""
    from rich.text import Text
    from rich.tree import Tree

    if report.provenance is None:
        return None
    tree = Tree(Text(report.provenance.title or report.path.name))
    _grow(tree, report.provenance)
    for problem in report.problems:
        tree.add(Text(f"! {problem.at} [{problem.code}]"))
    return tree


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain values, for JSON."""
    return {
        "path": str(report.path),
        "verdict": report.verdict.name.lower(),
        "exit_code": report.verdict.value,
        "credentials": report.credentials,
        "synthetic": report.synthetic,
        "note": report.note,
        "watermark": _plain_mark(report),
        "consents": [asdict(each) for each in report.consents],
        "signals": [{**asdict(each), "is_sign": each.is_sign} for each in report.signals],
        "problems": [asdict(problem) for problem in report.problems],
        "provenance": asdict(report.provenance) if report.provenance else None,
    }


def _plain_mark(report: Report) -> dict[str, Any] | None:
    found = report.watermark
    return None if found is None else {"found": found.is_found, **asdict(found)}


def _grow(tree: "Tree", provenance: Provenance) -> None:
    from rich.text import Text

    signed = f" at {provenance.signed_at}" if provenance.signed_at else ""
    tree.add(Text(f"signed by {provenance.signer or 'somebody without a name'}{signed}"))
    tree.add(Text(f"made with {provenance.software or 'unnamed software'}"))
    for action in provenance.actions:
        kind = (action.digital_source_type or "").removeprefix(DIGITAL_SOURCE_TYPES)
        tree.add(Text(f"{action.name.removeprefix('c2pa.')}{': ' + kind if kind else ''}"))
    for model in provenance.models:
        tree.add(Text(f"model {model.name}" + (f" sha256 {model.sha256[:16]}…" if model.sha256 else "")))
    for consent in provenance.consents:
        tree.add(Text(f"consent {consent}"))
    if provenance.training_allowed is not None:
        tree.add(Text(f"training and data mining: {'' if provenance.training_allowed else 'not '}allowed"))
    for ingredient in provenance.ingredients:
        _grow_ingredient(tree, ingredient)


def _grow_ingredient(tree: "Tree", ingredient: Ingredient) -> None:
    from rich.text import Text

    what = _WHAT_IT_WAS.get(ingredient.relationship, ingredient.relationship)
    identity = f" {ingredient.identity[:23]}…" if ingredient.identity.startswith("sha256:") else ""
    branch = tree.add(Text(f"{what}: {ingredient.title or 'a file without a name'}{identity}"))
    for code in ingredient.problems:
        branch.add(Text(f"! its credentials when it was used: {code}"))
    if ingredient.provenance:
        _grow(branch, ingredient.provenance)
    else:
        branch.add(Text("without credentials of its own"))
