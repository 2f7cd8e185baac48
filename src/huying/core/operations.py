"""运行监控: from the ages of what waits to what is wrong with the running, why, and what to do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Thresholds:
    """From when on something counts as wrong; set by whoever runs the installation."""

    queue_minutes: int = 10
    worker_minutes: int = 5
    mail_minutes: int = 60
    upstream_minutes: int = 60
    failed_jobs: int = 3
    disk_percent: int = 90


@dataclass(frozen=True)
class Running:
    """What was measured at `now`. A moment says since when the oldest has been waiting; None: nothing waits."""

    now: datetime
    due_limit: datetime | None = None
    due_job: datetime | None = None
    worker_seen: datetime | None = None
    failed_jobs: int = 0
    due_mail: datetime | None = None
    mail_tried: int = 0
    mail_failed: int = 0
    due_message: datetime | None = None
    """Of those only that have an address."""
    message_error: str = ""
    disk_percent: int = 0


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `detail` has numbers and names of parts, never of people or cases."""

    kind: str
    detail: str


KINDS: Mapping[str, tuple[str, str]] = {
    "queue_stalled": (
        "到期处理停滞",
        "提醒、超期登记和督办不再按时产生。查看后台进程的日志；没有后台进程就启动 huying worker，它会按原定时刻补办。",
    ),
    "jobs_stalled": (
        "任务排队过久",
        "后台进程在，但忙不过来或被一项任务占住。查看其日志；可以再启动一个 huying worker。",
    ),
    "worker_gone": ("没有后台进程", "提醒、邮件和报送都停着。启动 huying worker，并检查服务管理器为何没有把它拉起来。"),
    "jobs_failed": (
        "任务出错",
        "后台任务连续出错。查看后台进程的日志，按其中的错误处理；到期的事项不会丢，修好后自动补办。",
    ),
    "mail_stalled": ("邮件积压", "邮件服务器连接不上，或者没有后台进程。检查 HUYING_SMTP_HOST 等设置和邮件服务器。"),
    "mail_failing": ("邮件多被退回", "近期的邮件大半没有送达。检查发件地址 HUYING_MAIL_FROM 和邮件服务器是否拒收。"),
    "upstream_stalled": (
        "向上级平台报送不出去",
        "对方没有应答或者拒收。与上级平台核对地址和密钥（HUYING_UPSTREAMS、HUYING_UPSTREAM_SECRETS）；恢复后自动补报。",
    ),
    "disk_full": ("磁盘空间不足", "附件将无法保存。清理磁盘或者扩容。"),
}
"""Each kind: the words for it, and what follows from it and what to do."""
FEW_MAILS = 5
"""With fewer failures nothing is said about the mail server: an address or two may be wrong."""


def judge_running(running: Running, limits: Thresholds) -> Iterator[Finding]:
    """Everything that is wrong, by its threshold. At the threshold itself nothing is yet."""

    def late(moment: datetime | None, minutes: int) -> bool:
        return moment is not None and running.now - moment > timedelta(minutes=minutes)

    if late(running.due_limit, limits.queue_minutes):
        yield Finding("queue_stalled", f"最早一项到期事项已等待{_long(running.due_limit, running.now)}。")
    if late(running.due_job, limits.queue_minutes):
        yield Finding("jobs_stalled", f"最早一项任务已排队{_long(running.due_job, running.now)}。")
    if running.worker_seen is None:
        yield Finding("worker_gone", "从未有后台进程运行过。")
    elif late(running.worker_seen, limits.worker_minutes):
        yield Finding("worker_gone", f"后台进程最后一次活动是{_long(running.worker_seen, running.now)}之前。")
    if running.failed_jobs >= limits.failed_jobs:
        yield Finding("jobs_failed", f"最近一小时有{running.failed_jobs}次任务出错。")
    if late(running.due_mail, limits.mail_minutes):
        yield Finding("mail_stalled", f"最早一封邮件已等待{_long(running.due_mail, running.now)}。")
    if running.mail_failed >= FEW_MAILS and running.mail_failed * 2 >= running.mail_tried:
        yield Finding("mail_failing", f"最近一天投递{running.mail_tried}次，没有送达{running.mail_failed}次。")
    if late(running.due_message, limits.upstream_minutes):
        error = f"，最近的错误：{running.message_error}" if running.message_error else ""
        yield Finding("upstream_stalled", f"最早一条报送已等待{_long(running.due_message, running.now)}{error}。")
    if running.disk_percent >= limits.disk_percent:
        yield Finding("disk_full", f"存放附件的磁盘已用{running.disk_percent}%。")


def _long(since: datetime | None, now: datetime) -> str:
    """How long in words: minutes, then hours, then days."""
    minutes = int((now - since).total_seconds() // 60) if since else 0
    if minutes < 120:
        return f"{minutes}分钟"
    return f"{minutes // 60}小时" if minutes < 2880 else f"{minutes // 1440}天"
