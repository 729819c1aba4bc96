"""Step Functions: the Distributed Map, stopping, retries and size limits."""

import contextvars
import copy
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from ministack.services import s3
from ministack.services import stepfunctions as sfn

Failure = sfn._ExecutionError

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_STATE_BYTES = 256 * 1024
MOST_CHILDREN_AT_ONCE = 64

# States.ALL does not stand for these: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
NEVER_CAUGHT = ("States.Runtime", "States.DataLimitExceeded")

UNKNOWN_MAP_FIELDS = ("ItemBatcher", "Items", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath")

# Executions whose end is that of the task at hand: its own, and the map's for a child.
lineage = contextvars.ContextVar("lineage", default=())


class Stopped(Exception):
    """The execution was stopped: what was under way may end, nothing further begins."""


def check_running():
    if any(execution["status"] != "RUNNING" for execution in lineage.get()):
        raise Stopped()


def check_size(value, error="States.DataLimitExceeded"):
    if len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) > MOST_STATE_BYTES:
        raise Failure(error, "The state/task returned a result with a size exceeding the maximum number of bytes service limit.")
    return value


def install():
    execute_task, invoke_resource, call_lambda = sfn._execute_task, sfn._invoke_resource, sfn._call_lambda
    error_matches, find_retrier, fail_execution = sfn._error_matches, sfn._find_matching_retrier, sfn._fail_execution
    parse_items, stop_execution = sfn._parse_reader_items, sfn._stop_execution

    def task(state, raw_input, execution, context):
        if lineage.get():
            return execute_task(state, raw_input, execution, context)
        token = lineage.set((execution,))
        try:
            return execute_task(state, raw_input, execution, context)
        finally:
            lineage.reset(token)

    def resource(name, payload):
        check_running()
        return check_size(invoke_resource(name, payload))

    def function(ref, event):
        try:
            return call_lambda(ref, event)
        except Failure as error:
            if error.error == "Lambda.Unknown" and "TooManyRequestsException" in str(error.cause):
                raise Failure("Lambda.TooManyRequestsException", error.cause) from None
            raise

    def matches(equals, error):
        if error in NEVER_CAUGHT:
            return error in equals
        return error_matches(equals, error)

    def retrier(retriers, error, counts):
        check_running()
        found, index = find_retrier(retriers, error, counts)
        if found is None:
            return found, index
        delay = found.get("IntervalSeconds", 1) * found.get("BackoffRate", 2.0) ** counts.get(index, 0)
        delay = min(delay, found.get("MaxDelaySeconds", delay))
        if found.get("JitterStrategy") == "FULL":
            delay = random.uniform(0, delay)
        return {**found, "IntervalSeconds": delay, "BackoffRate": 1}, index

    def fail(execution, error, cause):
        if execution["status"] == "RUNNING":
            fail_execution(execution, error, cause)

    def reader_items(text, config):
        if config.get("InputType") != "JSONL":
            return parse_items(text, config)
        try:
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        except json.JSONDecodeError as error:
            raise Failure("States.ItemReaderFailed", f"Attempting to parse the dataset failed: {error}") from None

    def stop(data):
        answer = stop_execution(data)
        arn = data.get("executionArn")
        runs = [run["mapRunArn"] for run in sfn._map_runs.values() if run["executionArn"] == arn]
        for child in list(sfn._executions.values()):
            if child.get("mapRunArn") in runs and child["status"] == "RUNNING":
                child.update(status="ABORTED", stopDate=sfn.now_iso())
        return answer

    sfn._execute_task = task
    sfn._invoke_resource = resource
    sfn._call_lambda = function
    sfn._error_matches = matches
    sfn._find_matching_retrier = retrier
    sfn._fail_execution = fail
    sfn._parse_reader_items = reader_items
    sfn._stop_execution = stop
    sfn._run_distributed_map = run_distributed_map


class MapRun:
    """The children of one Distributed Map and what is counted of them."""

    def __init__(self, state, execution, concurrency, total):
        _, _, _, region, account, _, machine = execution["stateMachineArn"].split(":")[:7]
        label = state.get("Label") or sfn.new_uuid()
        self.path = f"{machine}/{label}"
        self.prefix = f"arn:aws:states:{region}:{account}"
        self.machine = f"{self.prefix}:stateMachine:{self.path}"
        self.state = state
        self.total = total
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.left = total
        counts = dict.fromkeys(
            ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")
            + ("failuresNotRedrivable", "pendingRedrive"),
            0,
        )
        counts.update(total=total, pending=total)
        self.record = {
            "mapRunArn": f"{self.prefix}:mapRun:{self.path}:{sfn.new_uuid()}",
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": sfn.now_iso(),
            "maxConcurrency": concurrency,
            "toleratedFailurePercentage": float(state.get("ToleratedFailurePercentage", 0)),
            "toleratedFailureCount": int(state.get("ToleratedFailureCount", 0)),
            "itemCounts": counts,
            "executionCounts": dict(counts),
            "redriveCount": 0,
            "_stateMachineArn": self.machine,
        }
        sfn._map_runs[self.record["mapRunArn"]] = self.record
        if total == 0:
            self.over.set()

    def count(self, was, now):
        with self.lock:
            for counts in (self.record["itemCounts"], self.record["executionCounts"]):
                counts[was] -= 1
                counts[now] += 1
            if was == "running" or now == "aborted":
                self.left -= 1
            if self.left == 0 or self.failed():
                self.over.set()

    def failed(self):
        """Whether more has failed than is tolerated: nothing, when no limit is set."""
        failed = self.record["itemCounts"]["failed"]
        limits = []
        if "ToleratedFailureCount" in self.state:
            limits.append(failed > self.record["toleratedFailureCount"])
        if "ToleratedFailurePercentage" in self.state:
            limits.append(failed * 100 > self.record["toleratedFailurePercentage"] * self.total)
        return any(limits) if limits else failed > 0

    def child(self, item, execution, context, iterator):
        """Runs one item to its end. @returns its output, None unless it succeeded"""
        if self.over.is_set() or execution["status"] != "RUNNING":
            self.count("pending", "aborted")
            return None
        name = sfn.new_uuid()
        child = {
            "executionArn": f"{self.prefix}:execution:{self.path}:{name}",
            "stateMachineArn": self.machine,
            "mapRunArn": self.record["mapRunArn"],
            "name": name,
            "status": "RUNNING",
            "startDate": sfn.now_iso(),
            "stopDate": None,
            "input": json.dumps(item),
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": {"included": True},
            "events": [],
            "testCase": execution.get("testCase"),
            "mockAttempts": {},
        }
        sfn._executions[child["executionArn"]] = child
        self.count("pending", "running")
        own = {key: value for key, value in context.items() if key != "Map"}
        own["Execution"] = {"Id": child["executionArn"], "Input": item, "Name": name, "StartTime": child["startDate"]}
        own["StateMachine"] = {"Id": self.machine, "Name": self.path}
        lineage.set((execution, child))
        output, ending = None, {"status": "SUCCEEDED"}
        try:
            check_size(item)
            output = sfn._run_sub_machine(iterator["States"], iterator["StartAt"], item, child, copy.deepcopy(own))
            ending["output"] = json.dumps(output)
        except Stopped:
            ending = {"status": "ABORTED"}
        except Failure as error:
            ending = {"status": "FAILED", "error": error.error, "cause": error.cause}
        except Exception as error:
            sfn.logger.exception("child %s", child["executionArn"])
            ending = {"status": "FAILED", "error": "States.Runtime", "cause": repr(error)}
        if child["status"] == "RUNNING":
            child.update(ending, stopDate=sfn.now_iso())
        self.count("running", child["status"].lower())
        return output


def write_results(writer, results, map_run, effective, context):
    """JSON Lines of what the children gave: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html"""
    place = sfn._resolve_params_obj(writer["Parameters"], effective, context)
    key = f"{place['Prefix'].strip('/')}/{map_run.rsplit(':', 1)[1]}/SUCCEEDED_0.jsonl"
    lines = "".join(json.dumps(result) + "\n" for result in results)
    if s3._put_object(place["Bucket"], key, lines.encode(), {"content-type": "application/jsonl"})[0] >= 300:
        raise Failure("States.ResultWriterFailed", f"could not write s3://{place['Bucket']}/{key}")
    return {"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": place["Bucket"], "Key": key}}


def run_distributed_map(state, raw_input, effective, iterator, execution, context):
    unknown = [field for field in UNKNOWN_MAP_FIELDS if field in state]
    if unknown or sfn._state_query_language(state, context) != "JSONPath":
        raise Failure("States.Runtime", f"the emulator's Distributed Map does not know {', '.join(unknown) or 'JSONata'}")
    reader = state.get("ItemReader")
    items = (
        sfn._read_map_items(reader, effective, context)
        if reader
        else sfn._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    )
    selector = state.get("ItemSelector")
    if selector:
        items = [
            sfn._resolve_params_obj(selector, effective, {**context, "Map": {"Item": {"Index": index, "Value": item}}})
            for index, item in enumerate(items)
        ]
    path = state.get("MaxConcurrencyPath")
    concurrency = int(sfn._resolve_path_or_ctx(path, effective, context) if path else state.get("MaxConcurrency", 0))
    run = MapRun(state, execution, concurrency, len(items))
    pool = ThreadPoolExecutor(max_workers=min(concurrency or MOST_CHILDREN_AT_ONCE, len(items)) or 1)
    futures = [
        pool.submit(contextvars.copy_context().run, run.child, item, execution, context, iterator) for item in items
    ]
    # Not until all have ended: a failed map goes on to its Catch while tasks that were under way still are.
    while not run.over.wait(0.1) and execution["status"] == "RUNNING":
        pass
    failed = run.failed()
    status = "ABORTED" if execution["status"] != "RUNNING" else "FAILED" if failed else "SUCCEEDED"
    run.record.update(status=status, stopDate=sfn.now_iso())
    pool.shutdown(wait=False)
    if status == "ABORTED":
        raise Stopped()
    if failed:
        for child in list(sfn._executions.values()):
            if child.get("mapRunArn") == run.record["mapRunArn"] and child["status"] == "RUNNING":
                child.update(status="ABORTED", stopDate=sfn.now_iso())
        message = "The specified tolerated failure threshold was exceeded"
        raise Failure("States.ExceedToleratedFailureThreshold", message)
    results = [future.result() for future in futures]
    if "ResultWriter" in state:
        results = write_results(state["ResultWriter"], results, run.record["mapRunArn"], effective, context)
    output = sfn._apply_result_path(state, raw_input, sfn._apply_result_selector(state, results))
    return sfn._apply_output_path(state, output, context), sfn._next_or_end(state)
