import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Baseline: Kafka Streams with exactly_once_v2, doing the same work: parse, one row of state as large as ours into a
 * store with a changelog, a decision (the user's first click), a push. It runs until it is killed, or until its client
 * fails.
 *
 * <p>Arguments: bootstrap servers, application id, topic of events, topic of pushes, bytes of a row, its folder.
 */
public final class KafkaStreamsBench {
    private static final String STORE = "rows";

    /** Fields of a click. */
    public record Click(String user_id, String article_id, String action, long at_ms) {}

    /** What a gateway gets. */
    public record Push(String user_id, long event_at_ms) {}

    /** An event at a time, as the Processor API hands them over. */
    private static final class Decide implements Processor<byte[], byte[], byte[], byte[]> {
        private final byte[] row;
        private final ObjectReader clicks;
        private final ObjectWriter pushes;
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<byte[], byte[]> rows;

        Decide(int rowBytes) {
            JsonMapper json = JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
            row = new byte[rowBytes];
            clicks = json.readerFor(Click.class);
            pushes = json.writerFor(Push.class);
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> context) {
            this.context = context;
            rows = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<byte[], byte[]> event) {
            try {
                Click click = clicks.readValue(event.value());
                boolean isNew = rows.get(event.key()) == null;
                rows.put(event.key(), row);
                if (isNew) {
                    Push push = new Push(click.user_id(), click.at_ms());
                    context.forward(event.withValue(pushes.writeValueAsBytes(push)));
                }
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    private static Properties config(String bootstrap, String applicationId, String folder) {
        Properties config = new Properties();
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        config.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100); // its default with exactly-once
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1); // a core, like the others
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 4000);
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 262_144);
        config.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 50);
        return config;
    }

    public static void main(String[] arguments) {
        var bytes = Serdes.ByteArray();
        var rows = Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(STORE), bytes, bytes); // logged by default
        int rowBytes = Integer.parseInt(arguments[4]);
        Topology topology = new Topology()
            .addSource("events", bytes.deserializer(), bytes.deserializer(), arguments[2])
            .addProcessor("decide", () -> new Decide(rowBytes), "events")
            .addStateStore(rows, "decide")
            .addSink("push", arguments[3], bytes.serializer(), bytes.serializer(), "decide");
        KafkaStreams streams = new KafkaStreams(topology, config(arguments[0], arguments[1], arguments[5]));
        streams.setUncaughtExceptionHandler(error -> {
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                System.err.println(cause);
            }
            Runtime.getRuntime().halt(1); // a client that has shut itself down would leave the bench waiting
            return null;
        });
        streams.start();
    }
}
