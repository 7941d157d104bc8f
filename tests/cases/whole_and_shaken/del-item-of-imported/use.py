from core import FIELDS
del FIELDS["secret"]
