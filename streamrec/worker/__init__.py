"""The only place with Faust and aiokafka: partitions connected to topics, one transactional writer each."""
