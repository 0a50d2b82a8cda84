package org.pushbridge.sip;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.KeyDeserializer;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.pushbridge.call.ExchangeId;
import org.pushbridge.call.LegDialog;
import org.pushbridge.call.LegId;
import org.pushbridge.call.Timer;

/** Writes what survives of calls as JSON, and reads it again. Safe for any thread. */
final class CallMemories {
    private final ObjectWriter writer;
    private final ObjectReader reader;

    /** @param trunks those that calls may come from or go to: only their names are written */
    CallMemories(List<Trunk> trunks) {
        SimpleModule words = new SimpleModule();
        words.addKeySerializer(LegId.class, new Text.Key<>(LegId.class, LegId::value));
        words.addKeyDeserializer(LegId.class, new Text.KeyReader(LegId::new));
        words.addSerializer(LegId.class, new Text.Writer<>(LegId.class, LegId::value));
        words.addDeserializer(LegId.class, new Text.Reader<>(LegId.class, LegId::new));
        words.addKeySerializer(LegDialog.class, new Text.Key<>(LegDialog.class, d -> d.leg() + " " + d.tag()));
        words.addKeyDeserializer(LegDialog.class, new Text.KeyReader(CallMemories::legDialog));
        // What is remembered of a call has none of these.
        words.addKeyDeserializer(ExchangeId.class, new Text.KeyReader(CallMemories::noKey));
        words.addKeyDeserializer(Timer.class, new Text.KeyReader(CallMemories::noKey));
        words.addSerializer(Trunk.class, new Text.Writer<>(Trunk.class, Trunk::name));
        words.addDeserializer(Trunk.class, new Text.Reader<>(Trunk.class, name -> trunk(trunks, name)));
        words.addSerializer(
                InetSocketAddress.class, new Text.Writer<>(InetSocketAddress.class, CallMemories::addressText));
        words.addDeserializer(
                InetSocketAddress.class, new Text.Reader<>(InetSocketAddress.class, CallMemories::address));
        JsonMapper mapper = JsonMapper.builder()
                .addModule(new Jdk8Module())
                .addModule(new JavaTimeModule())
                .addModule(words)
                .addMixIn(FarEnd.class, FarEnds.class)
                .addMixIn(CallMemory.Called.class, Calleds.class)
                .visibility(PropertyAccessor.GETTER, JsonAutoDetect.Visibility.NONE)
                .visibility(PropertyAccessor.IS_GETTER, JsonAutoDetect.Visibility.NONE)
                .visibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY)
                .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                // One that an older version wrote lacks what is new.
                .withConfigOverride(
                        List.class, lists -> lists.setSetterInfo(JsonSetter.Value.forValueNulls(Nulls.AS_EMPTY)))
                .defaultPropertyInclusion(
                        JsonInclude.Value.construct(JsonInclude.Include.NON_ABSENT, JsonInclude.Include.ALWAYS))
                .build();
        this.writer = mapper.writerFor(CallMemory.class);
        this.reader = mapper.readerFor(CallMemory.class);
    }

    byte[] write(CallMemory memory) {
        try {
            return writer.writeValueAsBytes(memory);
        } catch (JacksonException e) {
            throw new IllegalStateException("A call cannot be written as JSON", e);
        }
    }

    /** @throws IOException if it is damaged, or names a trunk that is not configured any more */
    CallMemory read(byte[] json) throws IOException {
        return reader.readValue(json);
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes({
        @JsonSubTypes.Type(value = FarEnd.DeviceEnd.class, name = "device"),
        @JsonSubTypes.Type(value = FarEnd.TrunkEnd.class, name = "trunk")
    })
    private interface FarEnds {}

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes({
        @JsonSubTypes.Type(value = CallMemory.Called.ByUser.class, name = "user"),
        @JsonSubTypes.Type(value = CallMemory.Called.ByTrunk.class, name = "trunk")
    })
    private interface Calleds {}

    private static Trunk trunk(List<Trunk> trunks, String name) {
        return trunks.stream()
                .filter(trunk -> trunk.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the trunk " + name + " is not configured any more"));
    }

    private static LegDialog legDialog(String text) {
        int space = text.lastIndexOf(' '); // a tag has none
        return new LegDialog(new LegId(text.substring(0, space)), text.substring(space + 1));
    }

    private static Object noKey(String text) {
        throw new IllegalArgumentException("there should be none of these: " + text);
    }

    private static String addressText(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + " " + address.getPort();
    }

    /** Literal addresses only, so that nothing is asked of DNS. */
    private static InetSocketAddress address(String text) {
        int space = text.indexOf(' ');
        String host = text.substring(0, space);
        int scope = host.indexOf('%'); // names a network interface, which need not be there any more
        try {
            return new InetSocketAddress(
                    InetAddress.getByName(scope < 0 ? host : host.substring(0, scope)),
                    Integer.parseInt(text.substring(space + 1)));
        } catch (IOException e) {
            throw new IllegalArgumentException("'" + host + "' is no IP address", e);
        }
    }

    /** Values that are one word in JSON. */
    private static final class Text {
        interface Say<T> {
            String of(T value);
        }

        interface Understand<T> {
            T from(String text);
        }

        static final class Writer<T> extends StdSerializer<T> {
            private static final long serialVersionUID = 1;
            private final transient Say<T> say;

            Writer(Class<T> type, Say<T> say) {
                super(type);
                this.say = say;
            }

            @Override
            public void serialize(T value, JsonGenerator out, SerializerProvider provider) throws IOException {
                out.writeString(say.of(value));
            }
        }

        static final class Key<T> extends StdSerializer<T> {
            private static final long serialVersionUID = 1;
            private final transient Say<T> say;

            Key(Class<T> type, Say<T> say) {
                super(type);
                this.say = say;
            }

            @Override
            public void serialize(T value, JsonGenerator out, SerializerProvider provider) throws IOException {
                out.writeFieldName(say.of(value));
            }
        }

        static final class Reader<T> extends StdDeserializer<T> {
            private static final long serialVersionUID = 1;
            private final transient Understand<T> understand;

            Reader(Class<T> type, Understand<T> understand) {
                super(type);
                this.understand = understand;
            }

            @Override
            public T deserialize(JsonParser in, DeserializationContext context) throws IOException {
                return understand.from(in.getText());
            }
        }

        static final class KeyReader extends KeyDeserializer {
            private final Understand<?> understand;

            KeyReader(Understand<?> understand) {
                this.understand = understand;
            }

            @Override
            public Object deserializeKey(String key, DeserializationContext context) {
                return understand.from(key);
            }
        }
    }
}
