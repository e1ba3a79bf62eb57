"""The differential suite: one script against moto, ministack and the simulator, answers compared field by field.

Reads {"simulator": URL, "moto": URL, "ministack": URL} from stdin; a name or more as arguments runs those services
alone, `--all` shows every difference, explained or not. Prints {"steps": N, "differences": [...]}.
"""

import concurrent.futures
import importlib
import json
import sys

from compare import Verdict
from recorder import Recorder

# In this order: listings are taken before other services make queues, topics and keys of their own.
SERVICES = (
    "sqs", "sns", "kms", "s3", "kinesis", "firehose", "events", "rds", "cloudwatch", "iam", "organizations", "cloudfront", "tagging",
)


def record(endpoint, modules):
    """A recording for each service: what it left behind is there for the next one, names are not."""
    recordings = {}
    for name, module in modules.items():
        recorder = Recorder(endpoint)
        module.scenario(recorder)
        recordings[name] = recorder.steps
    return recordings


def main(arguments):
    endpoints = json.load(sys.stdin)
    names = [name for name in arguments if not name.startswith("--")] or SERVICES
    modules = {name: importlib.import_module(f"services.{name}") for name in names}
    with concurrent.futures.ThreadPoolExecutor(len(endpoints)) as threads:
        running = {server: threads.submit(record, endpoint, modules) for server, endpoint in endpoints.items()}
        recorded = {server: future.result() for server, future in running.items()}
    steps, report = 0, []
    for name, module in modules.items():
        recordings = {server: {step: (name, outcome) for step, (_, outcome) in each[name].items()} for server, each in recorded.items()}
        table = [] if "--all" in arguments else module.TABLE
        report += Verdict(recordings, {name: table}).report()
        steps += len(recordings["simulator"])
    json.dump({"steps": steps, "differences": report}, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
