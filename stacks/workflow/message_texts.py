"""The workflow's e-mails, text messages and chat messages in JSONata.

They join the parts that Python composed, in the order of `taxi_etl.message_texts`, with what only the
workflow knows: time and cost, the next steps and the link.
"""

from stacks.settings import Settings
from stacks.workflow.jsonata import record, sentence, text
from taxi_etl.billing import COST_DIGITS, FUNCTION_COST_DIGITS, crawl_usd
from taxi_etl.console import CONSOLE_DOMAINS, DEFAULT_DOMAIN, EXECUTION_PATH
from taxi_etl.engines import EngineChoice
from taxi_etl.message_texts import (
    CHAT_FORMAT,
    CHAT_MARKUP,
    CHAT_MAX,
    COMMAND_BREAK,
    COMMAND_END,
    CUT,
    EXECUTION,
    NEXT,
    NO_JOB_RUN,
    PART_BREAK,
    SMS_MAX,
    TIME_AND_COST,
)
from taxi_etl.notifications import FALLBACK


def email(outcome: str, files: str, facts: str, next_step: str) -> str:
    """The text of an e-mail from these expressions, as `taxi_etl.message_texts.email_text` joins it."""
    parts = (
        _one_line(outcome),
        files,
        f"{text(TIME_AND_COST)} & {facts}",
        f"{text(NEXT)} & $replace({next_step}, {text(COMMAND_END)}, {text(COMMAND_BREAK)})",
        f"{text(EXECUTION)} & {_execution_url()}",
    )
    return f"$join([{', '.join(parts)}][$ != ''], {text(PART_BREAK)})"


def sms(subject: str, detail: str) -> str:
    """One line of ASCII, as `taxi_etl.message_texts.sms_text` returns it."""
    line = f"$replace({subject} & ': ' & {detail}, /[^ -~]/, '?')"
    cut = f"$substring($sms, 0, {SMS_MAX - len(CUT)}) & {text(CUT)}"
    return f"($sms := {line}; $length($sms) <= {SMS_MAX} ? $sms : {cut})"


def chat(subject: str, email: str) -> str:
    """A custom notification, as `taxi_etl.message_texts.chat_text` returns it."""
    end = text(f"{PART_BREAK}{NEXT}")
    content = record(
        {
            "textType": text(CHAT_MARKUP),
            "title": subject,
            "description": f"$substring($substringBefore($email, {end}), 0, {CHAT_MAX})",
            "nextSteps": f"[$split($substringAfter($email, {end}), {text(chr(10))})[$ != '']]",
        }
    )
    fields = {name: text(value) for name, value in CHAT_FORMAT.items()}
    return f"($email := {email}; $string({record({**fields, 'content': content})}))"


def load_facts(job_cost: str, settings: Settings) -> str:
    """How long the execution and the job run took, and what the job run, the function and the crawl cost."""
    usd = "' US dollars'"
    run = (
        f"' The Glue job run took ' & {_duration('$jobRun.ExecutionTime')} & "
        f"($usd = null ? '' : ' and cost ' & {_money('$usd', COST_DIGITS)} & {usd}) & '.'"
    )
    facts = [
        f"$usd := {job_cost}",
        f"{_took()} & ($exists($jobRun.ExecutionTime) ? {run} : ''){_small_batch(settings)}",
    ]
    return f"({'; '.join(facts)})"


def crawl_facts() -> str:
    """What the crawl cost, to append to `load_facts`."""
    cost = text(f" The crawl cost at least {crawl_usd():.2f} US dollars.")
    return f"($crawl.polls > 0 ? {cost} : '')"


def validation_facts() -> str:
    """How long validation took; no job run was started for the rejected files."""
    return f"{_took('Validation')} & {text(f' {NO_JOB_RUN}')}"


def _small_batch(settings: Settings) -> str:
    if settings.engine is EngineChoice.GLUE:
        return ""
    cost = f"' The function for small batches cost ' & {_money('$load.costUsd', FUNCTION_COST_DIGITS)}"
    declined = fallback(_one_line("$load.declined"))
    return f" & ($exists($load.costUsd) ? {cost} & ' US dollars.' : '') & {declined}"


def fallback(reason: str) -> str:
    """Why the Glue job was started for a small batch; empty if the function loaded it or did not run."""
    return f"($exists($load.declined) ? {text(f' {FALLBACK}')} & {sentence(reason)} : '')"


def _took(what: str = "The execution") -> str:
    since = "$toMillis($states.context.Execution.StartTime)"
    return f"'{what} took ' & {_duration(f'$floor(($toMillis($now()) - {since}) / 1000)')} & '.'"


def _duration(seconds: str) -> str:
    """Seconds as `4 min 5 s`."""
    minutes = "$floor($seconds / 60)"
    return f"($seconds := {seconds}; ({minutes} > 0 ? {minutes} & ' min ' : '') & $seconds % 60 & ' s')"


def _money(usd: str, digits: int) -> str:
    return f"$formatNumber({usd}, '0.{'0' * digits}')"


def _one_line(value: str) -> str:
    """The text without line breaks, which an error may contain."""
    return f"$replace({value}, /\\s+/, ' ')"


def _execution_url() -> str:
    """The execution's page, as `taxi_etl.console.execution_url` returns it."""
    domains = record({partition: text(domain) for partition, domain in CONSOLE_DOMAINS.items()})
    home, details = EXECUTION_PATH
    return (
        f"($arn := $split($states.context.Execution.Id, ':'); $domain := $lookup({domains}, $arn[1]); "
        f"'https://' & $arn[3] & '.console.' & ($exists($domain) ? $domain : {text(DEFAULT_DOMAIN)}) & "
        f"{text(home)} & $arn[3] & {text(details)} & $states.context.Execution.Id)"
    )
