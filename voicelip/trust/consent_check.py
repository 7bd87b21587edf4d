"""Whether what is about to be done with a voice or a face is covered by a consent record, and if not, why."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from voicelip.errors import ConsentError
from voicelip.trust import deny
from voicelip.trust.consent import Consent, today
from voicelip.trust.consent_store import Shelf
from voicelip.trust.likeness import LIMITS, Kind, Likeness


@dataclass(frozen=True)
class Ask:
    """What is to be done: a command's name, the language that will be spoken, and what for, if told."""

    action: str
    lang: str | None = None
    purpose: str | None = None


@dataclass(frozen=True)
class Shown:
    """A voice or a face that is about to be used.

    `hashes` are SHA-256 of the recordings that it comes from; `likeness` is what it is known again by, found
    out only if they are in no record, or are in one that says that it shows several people. `name` is what
    the user called it, `remembered` the records that a profile was made under.
    """

    kind: Kind
    name: str
    hashes: tuple[str, ...]
    likeness: Callable[[], Likeness]
    files: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grant:
    """The record that covers a voice or a face; `by_hash` if it names the very recording, and that shows
    nobody else.
    """

    consent: Consent
    by_hash: bool


def grant(shown: Shown, ask: Ask, shelf: Shelf, given: Sequence[Consent] = ()) -> Grant:
    """The record that covers `shown` for `ask`: one of those `given` by name, or of those kept here.

    Raises ConsentError with the reason that is nearest to a grant.
    """
    pool = {consent.id: consent for consent in (*given, *shelf.consents)}
    named = [each for each in pool.values() if _names(each, shown)]
    found, by_hash = _first_valid(named, ask, shelf), True
    if found is None and deny.is_configured() and not named:
        deny.refuse(shown.likeness(), shown.name)
    if found is None:
        likeness = shown.likeness() if pool and not _is_settled(named, shown, shelf) else None
        alike = [each for each in pool.values() if likeness and _is_of(each, likeness)]
        found, by_hash = _first_valid(alike, ask, shelf), False
        if found is None:
            raise _refusal([*named, *alike], likeness, shown, ask, shelf, given)
    _refuse_denied(found, shown, by_hash)
    return Grant(found, by_hash)


def _is_settled(named: Sequence[Consent], shown: Shown, shelf: Shelf) -> bool:
    """Whether looking for others would change nothing: all of these records are of the very recording."""
    others = [each for each in shelf.consents if each not in named and each.of_kind(shown.kind)]
    return bool(named) and not others


def _names(consent: Consent, shown: Shown) -> bool:
    """Whether a record names the very recordings, which show nobody else."""
    known = {medium.sha256 for medium in consent.of_kind(shown.kind) if not medium.several}
    return bool(shown.hashes) and known.issuperset(shown.hashes)


def _is_of(consent: Consent, likeness: Likeness) -> bool:
    return any(medium.likeness.is_same(likeness) for medium in consent.of_kind(likeness.kind))


def _first_valid(consents: Iterable[Consent], ask: Ask, shelf: Shelf) -> Consent | None:
    return next((each for each in consents if why_not(each, ask, shelf) is None), None)


def _refuse_denied(consent: Consent, shown: Shown, by_hash: bool) -> None:
    """The record's own likeness of a recording serves, so that nothing has to be computed."""
    if not deny.is_configured():
        return
    own = [each.likeness for each in consent.of_kind(shown.kind) if each.sha256 in shown.hashes]
    for likeness in own if by_hash else (shown.likeness(),):
        deny.refuse(likeness, shown.name)


def why_not(consent: Consent, ask: Ask, shelf: Shelf) -> ConsentError | None:
    """Why a record does not allow a use, whomever it is of; None if it does."""
    scope, whose = consent.scope, f"consent {consent.id} of {consent.subject}"
    revoked = shelf.revoked.get(consent.id)
    if revoked:
        why = f": {revoked.reason}" if revoked.reason else ""
        return ConsentError(
            f"{whose} was revoked on {revoked.at[:10]}{why}; use somebody else, or ask again and run "
            "`voicelip consent new`",
            "revoked",
        )
    if today() > scope.expires:
        return ConsentError(
            f"{whose} expired on {scope.expires}; ask again and run `voicelip consent new`", "expired"
        )
    if today() < scope.not_before:
        return ConsentError(
            f"{whose} begins on {scope.not_before}; wait until then, or ask for an earlier beginning",
            "not yet valid",
        )
    if ask.action not in scope.actions:
        return ConsentError(
            f"{whose} allows {', '.join(scope.actions)}, not {ask.action}; ask again and run "
            f"`voicelip consent new … --allow {','.join([*scope.actions, ask.action])}`",
            "action",
        )
    if ask.lang is not None and not scope.speaks(ask.lang):
        return ConsentError(
            f"{whose} covers the languages {', '.join(scope.languages)}, not {ask.lang}; ask again and run "
            f"`voicelip consent new … --languages {','.join([*scope.languages, ask.lang])}`",
            "language",
        )
    if ask.purpose is not None and ask.purpose.casefold() not in map(str.casefold, scope.purposes):
        return ConsentError(
            f"{whose} is for {'; '.join(scope.purposes)}, not for {ask.purpose}; ask again and run "
            f"`voicelip consent new … --purpose {shlex.quote(ask.purpose)}`",
            "purpose",
        )
    return None


def apart(shown: Shown, consent: Consent) -> float | None:
    """How far a voice or face is from the nearest that a record is of: 0 for the very recording, None if the
    record is of none.
    """
    if _names(consent, shown):
        return 0.0
    nearest = _nearest([consent], shown.likeness()) if consent.of_kind(shown.kind) else None
    return nearest[1] if nearest else None


def _refusal(
    matching: Sequence[Consent],
    likeness: Likeness | None,
    shown: Shown,
    ask: Ask,
    shelf: Shelf,
    given: Sequence[Consent],
) -> ConsentError:
    """The latest matching record's reason; else that of a record that cannot be used; else that none is of
    this person.
    """
    if matching:
        latest = max(matching, key=lambda each: (each in given, each.issued))
        error = why_not(latest, ask, shelf)
        if error is not None:
            return ConsentError(f"{shown.name}: {error}", error.reason)
    for unusable in shelf.unusable:
        if unusable.hashes & set(shown.hashes) or unusable.path.stem in shown.remembered:
            return unusable.error
    lost = [each for each in shown.remembered if each not in {one.id for one in shelf.consents}]
    if lost:
        return ConsentError(
            f"{shown.name}: was made under consent {lost[0]}, which is not kept here any more; pass it with "
            "--consent FILE, or ask again: " + new_command([shown], ask),
            "missing",
        )
    advice = f"if the person has agreed: {new_command([shown], ask)}"
    nearest = _nearest(given or shelf.consents, likeness) if likeness else None
    if nearest is None:
        return ConsentError(f"{shown.name}: no consent record covers this {shown.kind}; {advice}", "missing")
    consent, distance = nearest
    which = (
        f"consent {consent.id} is of another {shown.kind}"
        if given
        else "nobody's consent that is kept here covers it"
    )
    return ConsentError(
        f"{shown.name}: {which} (nearest: {consent.subject}, {distance:.2f} apart, at most "
        f"{LIMITS[shown.kind]:.2f}); {advice}",
        f"wrong {shown.kind}",
    )


def _nearest(consents: Iterable[Consent], likeness: Likeness) -> tuple[Consent, float] | None:
    pairs = [(each, medium) for each in consents for medium in each.of_kind(likeness.kind)]
    distances = [(medium.likeness.distance(likeness), n) for n, (_, medium) in enumerate(pairs)]
    if not distances:
        return None
    distance, place = min(distances)
    return pairs[place][0], distance


def new_command(lacking: Sequence[Shown], ask: Ask) -> str:
    """What to run to make the record that is missing, once the person has agreed."""
    parts = ["voicelip consent new --subject 'THEIR NAME'"]
    for shown in lacking:
        parts += [f"--{shown.kind} {shlex.quote(file)}" for file in shown.files or ("FILE",)]
    parts.append(f"--purpose {shlex.quote(ask.purpose or 'WHAT FOR')}")
    parts.append(f"--languages {ask.lang or 'any'}")
    parts.append(f"--expires {today() + timedelta(days=365)} -o their.consent.json")
    return " ".join(parts)
