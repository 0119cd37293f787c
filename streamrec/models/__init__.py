"""Models that rank: artifacts and their store, engines, admission, signatures, rollout, canary, shadow."""
