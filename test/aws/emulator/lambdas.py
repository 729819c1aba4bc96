"""Node Lambdas: errors by their names, asynchronous invocations that are tried again."""

import json
import threading

import ministack.core.lambda_runtime as runtime
from ministack.services import eventbridge
from ministack.services import lambda_svc as lambdas

MOST_PAYLOAD_BYTES = 6 * 1024 * 1024

# Instead of `status: "error"`, which makes ministack end the process and forget the name.
REPORTED = """status: "ok", handlerError: {
            errorType: (%(e)s && %(e)s.name) || typeof %(e)s,
            errorMessage: String((%(e)s && %(e)s.message) || %(e)s),
            trace: String((%(e)s && %(e)s.stack) || "").split("\\n"),
          }"""

thrown = threading.local()


def replace_once(script, old, new):
    if script.count(old) != 1:
        raise SystemExit(f"ministack's Node worker has changed: {old!r}")
    return script.replace(old, new)


def install():
    script = runtime._NODEJS_WORKER_SCRIPT
    script = replace_once(
        script, 'status: "error", error: String(err.message || err), trace: err.stack || ""', REPORTED % {"e": "err"}
    )
    script = replace_once(script, 'status: "error", error: e.message, trace: e.stack', REPORTED % {"e": "e"})
    runtime._NODEJS_WORKER_SCRIPT = script

    invoke = runtime.Worker.invoke

    def invoke_worker(self, event, request_id, **rest):
        if len(json.dumps(event).encode()) > MOST_PAYLOAD_BYTES:
            return {"status": "error", "error": "RequestEntityTooLarge"}
        result = invoke(self, event, request_id, **rest)
        thrown.error = result.get("handlerError")
        if result.get("status") == "error" and result.get("error") in ("Worker process died", "Worker returned no response"):
            message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
            thrown.error = {"errorType": "Runtime.ExitError", "errorMessage": message}
        return result

    runtime.Worker.invoke = invoke_worker

    execute = lambdas._execute_function_warm

    def execute_warm(function, event, request_id):
        thrown.error = None
        result = execute(function, event, request_id)
        error, thrown.error = thrown.error, None
        if error is None:
            return result
        log = "\n".join(filter(None, [result.get("log", ""), *error.get("trace", [])]))
        return {"body": error, "error": True, "log": log}

    lambdas._execute_function_warm = execute_warm

    def dispatch_to_lambda(arn, payload):
        function, config, name = lambdas._get_func_record_for_ref(arn)
        if not function or not config:
            eventbridge.logger.warning("EventBridge: no function %s", name)
            return
        record = lambdas._execution_record_for_config(function, config)
        lambdas.invoke_async_with_retry(record, json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch_to_lambda
