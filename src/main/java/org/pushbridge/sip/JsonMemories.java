package org.pushbridge.sip;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.KeyDeserializer;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
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

/** Reads what survives of calls as earlier versions wrote it: as JSON. Safe for any thread. */
final class JsonMemories {
    private final ObjectReader reader;

    /** @param trunks those that calls may come from or go to: only their names were written */
    JsonMemories(List<Trunk> trunks) {
        SimpleModule words = new SimpleModule();
        words.addKeyDeserializer(LegId.class, new Text.KeyReader(LegId::new));
        words.addDeserializer(LegId.class, new Text.Reader<>(LegId.class, LegId::new));
        words.addKeyDeserializer(LegDialog.class, new Text.KeyReader(JsonMemories::legDialog));
        // What is remembered of a call has none of these.
        words.addKeyDeserializer(ExchangeId.class, new Text.KeyReader(JsonMemories::noKey));
        words.addKeyDeserializer(Timer.class, new Text.KeyReader(JsonMemories::noKey));
        words.addDeserializer(Trunk.class, new Text.Reader<>(Trunk.class, name -> trunk(trunks, name)));
        words.addDeserializer(
                InetSocketAddress.class, new Text.Reader<>(InetSocketAddress.class, JsonMemories::address));
        JsonMapper mapper = JsonMapper.builder()
                .addModule(new Jdk8Module())
                .addModule(new JavaTimeModule())
                .addModule(words)
                .addMixIn(FarEnd.class, FarEnds.class)
                .addMixIn(CallMemory.Called.class, Calleds.class)
                .visibility(PropertyAccessor.GETTER, JsonAutoDetect.Visibility.NONE)
                .visibility(PropertyAccessor.IS_GETTER, JsonAutoDetect.Visibility.NONE)
                .visibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                // One that an older version wrote lacks what is new.
                .withConfigOverride(
                        List.class, lists -> lists.setSetterInfo(JsonSetter.Value.forValueNulls(Nulls.AS_EMPTY)))
                .build();
        this.reader = mapper.readerFor(CallMemory.class);
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
        interface Understand<T> {
            T from(String text);
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
