"""Kafka as everything else here sees it: topics, consumers, committed records, transactions."""
