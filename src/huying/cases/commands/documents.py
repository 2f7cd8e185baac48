"""文号: the number of a document, such as 〔2026〕函督3号."""

from django.db import connection

from huying.cases.commands.registry import Take

CODES = {
    "phone": "电督", "letter": "函督", "meeting": "会督", "instruction": "批督", "onsite": "现督",
    "formal_assignment": "书交", "official_letter": "函告",
}  # fmt: skip


def next_document_no(take: Take, kind: str) -> str:
    """The next number of that kind for this year. A number taken in a transaction rolled back is given again."""
    year = take.today.year
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO cases_documentseries (platform_id, year, kind, last) VALUES (%s, %s, %s, 1)
            ON CONFLICT (platform_id, year, kind) DO UPDATE SET last = cases_documentseries.last + 1
            RETURNING last
            """,
            [take.platform.pk, year, kind],
        )
        (number,) = cursor.fetchone()
    return f"〔{year}〕{CODES.get(kind, '督')}{number}号"
