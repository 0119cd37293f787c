"""A worker whose encoder has a bug that single texts reach; run as a script by test_articles.py."""

import sys
from pathlib import Path

from streamrec.settings import load
from streamrec.worker.run import run_worker

sys.path.append(str(Path(__file__).parents[1]))
from fragile_encoder import FragileEncoder

if __name__ == "__main__":
    run_worker(load(), encoder=FragileEncoder())
