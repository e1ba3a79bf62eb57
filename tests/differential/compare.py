"""Compares what three servers answered, field by field, against the table of explained differences.

The table has no way to say that the simulator is wrong: where it is, it is mended.
"""

import dataclasses
import json
import re

SIMULATOR = "simulator"
EMULATORS = ("moto", "ministack")
# What tells entries of a list apart; lists of such entries are compared by it, in whatever order they come.
IDENTITIES = (
    "Sid", "ParameterName", "AliasName", "GrantId", "Key", "TagKey", "Id", "Name", "TopicArn", "SubscriptionArn", "Arn", "ResourceARN",
    "DBInstanceIdentifier", "DBClusterIdentifier", "DBParameterGroupName", "DBClusterParameterGroupName", "RoleName", "PolicyName",
    "KeyId", "ErrorCode", "EngineVersion", "Prefix", "VersionId",
)
ABSENT = "(absent)"


@dataclasses.dataclass(frozen=True)
class Differs:
    """`who` (names with a space between) answers otherwise than AWS and the simulator.

    `operation` and `field` are patterns: `*` stands for anything, ` | ` stands between patterns of which each must be needed.
    """

    who: str
    operation: str
    field: str
    why: str
    source: str


@dataclasses.dataclass(frozen=True)
class Lacks:
    """`who` does not have the operation: its answers to it are not compared, but they must be failures or empty."""

    who: str
    operation: str
    why: str


@dataclasses.dataclass(frozen=True)
class Difference:
    who: str
    step: str
    field: str
    simulator: object
    other: object


def matching(patterns, text):
    """The patterns that match."""
    return [pattern for pattern in patterns.split(" | ") if re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL)]


def leaves(value, path=""):
    """Every field of an answer with its value; an empty object or list is a field of its own."""
    if isinstance(value, dict) and value:
        parts = [(f"{path}.{key}" if path else key, part) for key, part in value.items()]
    elif isinstance(value, list) and value:
        parts = [(f"{path}[{key}]", part) for key, part in identified(value)]
    else:
        return {path: value}
    return {field: leaf for name, part in parts for field, leaf in leaves(part, name).items()}


def identified(entries):
    for identity in IDENTITIES:
        keys = [str(entry.get(identity)) for entry in entries if isinstance(entry, dict) and identity in entry]
        if len(keys) == len(set(keys)) == len(entries):
            return zip(keys, entries)
    if all(isinstance(entry, str) for entry in entries) and len(set(entries)) == len(entries):
        return zip(entries, entries)
    return enumerate(entries)


def fields(outcome):
    """An outcome as fields. That a call failed at all, and how, is one of them."""
    said = dict(outcome)
    if "failed" in said:
        status = said.pop("failed")
        return {"outcome": "failure", "status": status, **leaves(said)}
    return {"outcome": "success", **leaves(said)}


def differences(who, step, simulator, other):
    one, two = fields(simulator), fields(other)
    if one["outcome"] != two["outcome"]:
        told = [short(each) for each in (simulator, other)]
        return [Difference(who, step, "outcome", *told)]
    return [
        Difference(who, step, field, one.get(field, ABSENT), two.get(field, ABSENT))
        for field in sorted(one.keys() | two.keys())
        if not same(one.get(field, ABSENT), two.get(field, ABSENT))
    ]


def same(one, two):
    """Equal, and of the same type: True is not 1."""
    return type(one) is type(two) and one == two


def short(outcome):
    if "failed" in outcome:
        return f"failure {outcome['failed']} {outcome['Error'].get('Code', outcome['Error'].get('Message'))}"
    return f"success {outcome['status']}"


def lacking(simulator, other):
    """Whether an answer is what somebody gives who has no such operation."""
    if "failed" in other:
        return True
    common = {"status", "RequestId"}
    return "failed" not in simulator and bool(simulator.keys() - common) and not (simulator.keys() & other.keys()) - common


class Verdict:
    """All differences of a run, judged by the table."""

    def __init__(self, recordings, table):
        """`recordings`: server -> steps; `table`: service -> rows."""
        self.table = table
        self.used = set()
        self.complaints = []
        self.unexplained = {}
        self.recordings = recordings
        for step, (service, outcome) in recordings[SIMULATOR].items():
            for who in EMULATORS:
                self.judge(who, service, step, outcome)

    def judge(self, who, service, step, outcome):
        operation = step.split(" ")[0]
        other = self.recordings[who][step][1]
        for row in self.table[service]:
            if isinstance(row, Lacks) and who in row.who.split() and row.operation == operation:
                self.used.add((service, row, who, row.operation))
                if not lacking(outcome, other):
                    self.complaints.append(f"{who} has {service} {operation} now ({step}): compare it, and take the row away")
                return
        for difference in differences(who, step, outcome, other):
            if not self.explained(service, difference):
                self.unexplained.setdefault((service, step, difference.field), []).append(difference)

    def explained(self, service, difference):
        found = False
        for row in self.table[service]:
            if not isinstance(row, Differs) or difference.who not in row.who.split():
                continue
            operations, names = matching(row.operation, difference.step), matching(row.field, difference.field)
            if operations and names:
                self.used.update((service, row, difference.who, pattern) for pattern in operations + names)
                found = True
        return found

    def value(self, who, step, field):
        outcome = self.recordings[who][step][1]
        return short(outcome) if field == "outcome" else fields(outcome).get(field, ABSENT)

    def idle(self):
        """What of the table nothing needed: (service, row, who, pattern)."""
        needed = [
            (service, row, who, pattern)
            for service, rows in self.table.items()
            for row in rows
            for who in row.who.split()
            for pattern in [*row.operation.split(" | "), *getattr(row, "field", row.operation).split(" | ")]
        ]
        return [entry for entry in needed if entry not in self.used]

    def report(self):
        lines = list(self.complaints)
        for (service, step, field), found in self.unexplained.items():
            lines.append(f"{service} {step}: {field}")
            lines.append(f"    simulator  {json.dumps(found[0].simulator)}")
            lines += [f"    {who:<10} {json.dumps(self.value(who, step, field))}" for who in EMULATORS]
        for service, row, who, pattern in self.idle():
            lines.append(f"no longer so, take it away: {service}, {who}, {pattern!r} of {row}")
        return lines
