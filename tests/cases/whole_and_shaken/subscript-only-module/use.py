from core import BUCKETS
users = BUCKETS["users"]
