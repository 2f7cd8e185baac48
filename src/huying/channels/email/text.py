"""What a mail says: the number, what happened, where to look. Never who asked, what about, or the query code."""

from collections.abc import Mapping

CITIZEN: Mapping[str, tuple[str, str]] = {
    "receipt": ("诉求已收到", "您的诉求已经收到，我们将按规定办理。"),
    "refused": ("诉求不予受理", "您的诉求经审核不予受理，理由、依据和反映渠道请登录查看。"),
    "redirected": ("诉求已转其他渠道", "您的诉求已转往其他渠道办理，去向请登录查看。"),
    "dispatched": ("诉求已交办", "您的诉求已交有关单位办理，承办单位和答复期限请登录查看。"),
    "progress": ("诉求有新进展", "承办单位更新了办理进展，请登录查看。"),
    "extension_granted": ("办理期限已延长", "您的诉求经批准延长办理期限，新的期限和进展请登录查看。"),
    "ledger": ("诉求已挂账", "您的诉求需要较长时间解决，已挂账并定期复核，请登录查看。"),
    "replied": ("诉求已答复", "承办单位已经答复，请登录查看，并对办理情况作出评价。"),
    "rework": ("诉求重新办理", "您的诉求已退回重新办理，请等待新的答复。"),
    "closed": ("诉求已办结", "您的诉求已办结。如对结果不满意，可以登录评价或者再次反映。"),
    "published": ("诉求拟公开", "您的诉求和答复隐去个人信息后将向社会公开。不同意公开的，请在公开日之前与我们联系。"),
    "date_moved": ("办理期限有变", "新一年的放假安排已经公布，您的诉求办理期限随之调整，请登录查看。"),
    "merged": ("诉求已并案办理", "您的诉求与同类诉求合并办理，答复时会一并告知您。"),
    "decided": ("申请已有决定", "您提出的申请已有决定，请登录查看。"),
}
UNIT: Mapping[str, tuple[str, str]] = {
    "dispatched": ("新工单待签收", "有新的工单派到本单位，请及时签收。"),
    "formal_assignment": ("书面交办", "有工单以书面形式交本单位重新办理，请及时签收。"),
    "rework": ("工单退回重办", "工单已退回本单位重新办理，请查看退回理由。"),
    "due_soon": ("工单即将到期", "工单的期限将到，请抓紧办理；确需延期的请在规定时间内申请。"),
    "overdue": ("工单已超期", "工单的期限已过，请立即办理并说明情况。"),
    "nudge": ("催办", "请尽快办理本工单。"),
    "supervision": ("督办通知", "本单位有工单被督办，请按要求办理并反馈。"),
    "clue": ("有移交线索", "有线索移交，请登录查看。"),
    "concentration": ("集中反映预警", "短期内有较多同类诉求集中反映，请登录工作台，在“集中反映”中查看并及时处置。"),
    "decided": ("申请已有决定", "本单位提出的申请已有决定，请登录查看。"),
}
WITHOUT_NUMBER = ("concentration",)
"""Of these the case is only an example, and may be one that the unit has no part in."""
OTHER = ("诉求有新消息", "有新的消息，请登录查看。")


def words_for(template: str, *, to_citizen: bool) -> tuple[str, str]:
    """Heading and sentence of a template."""
    return (CITIZEN if to_citizen else UNIT).get(template, OTHER)


def write_mail(template: str, *, to_citizen: bool, number: str, platform: str, address: str) -> tuple[str, str]:
    """Subject and body. `address` is the site's."""
    heading, sentence = words_for(template, to_citizen=to_citizen)
    if to_citizen:
        where = (
            f"查询办理情况：{address}/\n请用诉求编号和提交时给您的查询码查询。"
            "查询码请勿告诉他人，工作人员不会向您索要。"
        )
    else:
        where = f"登录工作台：{address}/desk/"
    if template in WITHOUT_NUMBER:
        return f"【{platform}】{heading}", f"{sentence}\n\n{where}\n\n{platform}\n本邮件由系统发出，请勿直接回复。\n"
    body = f"编号：{number}\n\n{sentence}\n\n{where}\n\n{platform}\n本邮件由系统发出，请勿直接回复。\n"
    return f"【{platform}】{heading}（{number}）", body
