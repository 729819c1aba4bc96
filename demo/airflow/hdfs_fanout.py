"""Two nightly mirrors by hdfs-fanout: one fanned out in AWS, one by the command line of a worker.

Needs the providers apache-airflow-providers-amazon and apache-airflow-providers-standard. docs/airflow.md explains it.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.amazon.aws.operators.step_function import StepFunctionStartExecutionOperator
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.providers.standard.operators.bash import BashOperator

# The output StateMachineArn of the stack.
STATE_MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:HdfsFanout"

# Made for repetition: the destination is the copied root, and what is equal is skipped. docs/job.schema.json
JOB = {
    "source": "staging:/warehouse",
    "destination": "prod:/warehouse",
    "options": {
        "mapping": "exact",
        "existing": "update",
        "compare": "time",
        "preserve": True,
        "delete": True,
        "exclude": ["_temporary"],
    },
}

COPY = [
    "hdfs-fanout", "copy", "--silent", "--exact", "--existing", "update", "--compare", "time", "--preserve",
    "--mkpath", "staging:/reports", "prod:/reports",
]  # fmt: skip

VERIFY = "hdfs-fanout verify --silent --preserve staging:/reports prod:/reports"


@dag(
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    # The destination is locked for a job: another run would only be refused.
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
)
def hdfs_fanout():
    StepFunctionStartExecutionOperator(
        task_id="warehouse",
        state_machine_arn=STATE_MACHINE,
        # The job's id: hdfs-fanout status NAME --stack HdfsFanout. Each try is a job, and copies what is missing.
        name="airflow-{{ ts_nodash }}-{{ ti.try_number }}",
        state_machine_input=json.dumps(JOB),
        # Fails where a file failed. Without deferrable it would only start the job.
        deferrable=True,
        waiter_delay=60,
        waiter_max_attempts=24 * 60,
    )

    @task
    def reports() -> None:
        code = SubprocessHook().run_command(COPY).exit_code
        if code == 0:
            return
        if code == 2:
            raise AirflowFailException("bad usage or configuration: another try would say the same")
        # 1: some files failed; 3: the job could not go on; 130: interrupted. The next try copies what is missing.
        raise AirflowException(f"hdfs-fanout ended with {code}: hdfs-fanout jobs, hdfs-fanout status JOB --failures")

    # 1: the trees differ; 3: it could not tell. Both fail the task.
    verified = BashOperator(task_id="verify_reports", bash_command=VERIFY, retries=0)

    reports() >> verified


hdfs_fanout()
