"""What people and machines read of a run: a plan in words, a table, a line of a summary, JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chaos.plan import Plan
from chaos.run import Result

_MOST_COMPLAINTS = 20


def plan_text(plan: Plan) -> str:
    """The plan, in the order in which it happens."""
    size = plan.size
    people = f"{size.people} people with {size.texts_each} texts each"
    lines = [
        f"seed {plan.seed}, broker {plan.broker}, {size.seconds:g} s, {people}",
        "",
        *(f"{h.at_s:7.2f} s  {h.way} {h.who}, back after {h.for_s:g} s" for h in plan.hurts),
        "",
    ]
    for trouble in plan.troubles:
        rule = trouble.rule
        status = f" {rule.code or rule.status}" if rule.what.value.startswith("status") else ""
        when = f"{trouble.at_s:7.2f} s  for {trouble.for_s:g} s"
        lines.append(f"{when}  {rule.where.value}: {rule.what.value}{status} at a rate of {rule.probability:g}")
    return "\n".join(lines)


def table(result: Result) -> str:
    """The counts of one run, and what is wrong in sentences."""
    rows = list(_rows(result))
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows]
    complaints = result.verdict.complaints
    lines += [f"  {complaint}" for complaint in complaints[:_MOST_COMPLAINTS]]
    if len(complaints) > _MOST_COMPLAINTS:
        lines.append(f"  and {len(complaints) - _MOST_COMPLAINTS} more")
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """One line a run."""
    columns = (
        "broker   seed  accepted  answered  lost  twice  order  overlap  unanswered  residue  worst s  verdict"
    )
    lines = [columns]
    for result in results:
        verdict, plan = result.verdict, result.plan
        lines.append(
            f"{plan.broker:<7}  {plan.seed:>4}  {verdict.accepted:>8}  {verdict.answered:>8}  {verdict.lost:>4}"
            f"  {verdict.twice:>5}  {verdict.out_of_order:>5}  {verdict.overlapping:>7}  {verdict.unanswered:>10}"
            f"  {verdict.residue:>7}  {verdict.worst_delay_s:>7.1f}  {'kept' if result.is_clean else 'BROKEN'}"
        )
    return "\n".join(lines)


def as_json(result: Result) -> dict[str, Any]:
    """The run as JSON objects."""
    plan, verdict = result.plan, result.verdict
    return {
        "seed": plan.seed,
        "broker": plan.broker,
        "seconds": plan.size.seconds,
        "people": plan.size.people,
        "clean": result.is_clean,
        "came_to_rest": result.came_to_rest,
        "drain_s": result.drain_s,
        "accepted": verdict.accepted,
        "not_accepted": dict(verdict.not_accepted),
        "answered": verdict.answered,
        "lost": verdict.lost,
        "twice": verdict.twice,
        "residue": verdict.residue,
        "out_of_order": verdict.out_of_order,
        "overlapping": verdict.overlapping,
        "unanswered": verdict.unanswered,
        "given_up": dict(verdict.given_up),
        "worst_delay_s": round(verdict.worst_delay_s, 1),
        "hurts": result.hurts,
        "faults": result.faults,
        "errors": result.errors,
        "died": list(result.died),
        "complaints": verdict.complaints,
    }


def _rows(result: Result) -> Iterator[tuple[str, str]]:
    verdict = result.verdict
    yield "accepted", str(verdict.accepted)
    yield "not accepted", _counts(verdict.not_accepted)
    yield "answered", str(verdict.answered)
    yield "lost", str(verdict.lost)
    yield "sent twice", str(verdict.twice)
    yield "out of order", str(verdict.out_of_order)
    yield "overlapping turns", str(verdict.overlapping)
    yield "unanswered", str(verdict.unanswered)
    yield "given up, by reason", _counts(verdict.given_up)
    yield "second copies that are the stated residue", str(verdict.residue)
    yield "worst delay until Twilio has the answer", f"{verdict.worst_delay_s:.1f} s"
    yield "came to rest", f"after {result.drain_s:g} s" if result.came_to_rest else "NO, it was given up"
    yield "kills", _counts(_of(result.hurts, "kill "))
    yield "stops", _counts(_of(result.hurts, "stop "))
    yield "broker restarts", str(result.hurts.get("kill nats", 0))
    yield "faults of Twilio", _counts(result.faults)
    yield "logged as errors", _counts(result.errors)
    yield "ended by themselves", ", ".join(result.died) or "nobody"


def _of(hurts: Mapping[str, int], way: str) -> dict[str, int]:
    return {name.removeprefix(way): count for name, count in sorted(hurts.items()) if name.startswith(way)}


def _counts(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    told = ", ".join(f"{name}: {count}" for name, count in counts.items())
    return f"{total} ({told})" if told else "0"
