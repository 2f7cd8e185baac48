"""The regulation in its own words, each article with the rules that the platform takes from it."""

from collections import defaultdict

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huying.cases.policies import policy_of
from huying.policy.model import Rule
from huying.portal.pages import page, platform_of

TOPICS = {
    "channels": "渠道", "kinds": "诉求类型", "categories": "事项分类", "redirects": "转出",
        "refusal_grounds": "不予受理",
    "actions": "操作", "roles": "职责", "time_limits": "时限", "escalations": "提醒与升级", "returns": "退单",
        "contact": "联系",
    "reply": "答复", "extension": "延期", "ledger": "挂账", "callback": "回访", "evaluation": "评价",
        "exemption": "核减",
    "panel": "研判", "supervision_methods": "督办方式", "supervision_grounds": "督办事由", "triggers": "督办触发",
    "recusal": "回避", "merge": "并单",
}  # fmt: skip


@require_safe
def regulation(request: HttpRequest, slug: str) -> HttpResponse:
    """Every article to the letter, the rules that rest on it, and what no article says."""
    platform = platform_of(slug)
    policy = policy_of(platform)
    source = next((one for one in policy.sources if one.id == policy.info.source), None)
    by_article: dict[str, list[tuple[str, Rule]]] = defaultdict(list)
    without: list[tuple[str, Rule]] = []
    for name, rule in policy.rules.items():
        cited, _hash, article = rule.cite.partition("#")
        row = (TOPICS.get(name.partition(".")[0], ""), rule)
        if source is not None and cited == source.id:
            by_article[article.partition(".")[0]].append(row)
        else:
            without.append(row)
    # Parts with a dot (2.1) only repeat what stands in their article.
    articles = [one for one in (source.articles if source else ()) if "." not in one.id]
    rows = [(one, by_article.get(one.id, [])) for one in articles]
    return page(request, platform, "regulation/regulation.html", {"source": source, "rows": rows, "without": without})
