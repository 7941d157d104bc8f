from collections import defaultdict
BUCKETS = defaultdict(list)
