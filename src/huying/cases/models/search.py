"""The words of a case, cut for search. Apart from the case, whose every change would else write its marks anew."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from huying.cases.models.case import Case
from huying.people.models import Platform


class SearchMarks(models.Model):
    """The marks of one case's title and content, made by `base.text.cut`."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="marks")
    platform = models.ForeignKey(Platform, models.CASCADE)
    grams = ArrayField(models.CharField(max_length=8))

    class Meta:
        indexes = [GinIndex(fields=["grams"], name="search_grams", fastupdate=False)]
