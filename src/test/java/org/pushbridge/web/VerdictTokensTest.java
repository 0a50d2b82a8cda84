package org.pushbridge.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pushbridge.device.DeviceId;

class VerdictTokensTest {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /** A call, a device and a bridge, drawn from a seed. */
    record Drawn(long seed, UUID call, DeviceId device, String secret) {
        static Drawn of(long seed) {
            Random random = new Random(seed);
            byte[] secret = new byte[VerdictTokens.SECRET_BYTES];
            random.nextBytes(secret);
            return new Drawn(
                    seed,
                    new UUID(random.nextLong(), random.nextLong()),
                    new DeviceId(HexFormat.of().toHexDigits(random.nextLong())),
                    HexFormat.of().formatHex(secret));
        }

        VerdictTokens tokens() {
            return new VerdictTokens(HexFormat.of().parseHex(secret));
        }

        String token() {
            return tokens().issue(call, device);
        }

        @Override
        public String toString() {
            return "seed " + seed;
        }
    }

    static List<Drawn> drawn() {
        return IntStream.range(0, 20).mapToObj(Drawn::of).toList();
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void aTokenNamesItsDeviceForItsCallAlsoToAnotherServerOfTheSameSecret(Drawn one) {
        assertThat(one.tokens().verify(one.token(), one.call())).contains(one.device());
        assertThat(one.token()).isEqualTo(one.token()).matches("[A-Za-z0-9_-]{55}");
        assertThat(Base64.getUrlDecoder().decode(one.token()))
                .containsSequence(HexFormat.of().parseHex(one.device().value()));
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void aTokenIsWorthNothingForAnyOtherCallDeviceOrBridge(Drawn one) {
        Drawn other = Drawn.of(one.seed() + 1000);

        assertThat(one.tokens().verify(one.token(), other.call())).isEmpty();
        assertThat(other.tokens().verify(one.token(), one.call())).isEmpty();
        assertThat(one.token()).isNotEqualTo(one.tokens().issue(one.call(), other.device()));
        for (int bit = 0; bit < 64; bit++) {
            UUID call = one.call();
            assertThat(one.tokens()
                            .verify(
                                    one.token(),
                                    new UUID(
                                            call.getMostSignificantBits() ^ 1L << bit, call.getLeastSignificantBits())))
                    .isEmpty();
            assertThat(one.tokens()
                            .verify(
                                    one.token(),
                                    new UUID(
                                            call.getMostSignificantBits(), call.getLeastSignificantBits() ^ 1L << bit)))
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void aDeviceThatWritesAnotherNameIntoItsTokenIsNotBelieved(Drawn one) {
        byte[] bytes = Base64.getUrlDecoder().decode(one.token());
        byte[] other =
                HexFormat.of().parseHex(Drawn.of(one.seed() + 1000).device().value());
        System.arraycopy(other, 0, bytes, 1, other.length);

        assertThat(one.tokens().verify(base64(bytes), one.call())).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void noOtherCharacterAnywhereIsAccepted(Drawn one) {
        for (int place = 0; place < one.token().length(); place++) {
            for (char c : (ALPHABET + "=+/ \0\u00e4\u0141").toCharArray()) {
                if (c != one.token().charAt(place)) {
                    StringBuilder changed = new StringBuilder(one.token());
                    changed.setCharAt(place, c);
                    assertThat(one.tokens().verify(changed.toString(), one.call()))
                            .as("%s in place %s", c, place)
                            .isEmpty();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void noFlippedBitIsAccepted(Drawn one) {
        byte[] bytes = Base64.getUrlDecoder().decode(one.token());
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] flipped = bytes.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertThat(one.tokens().verify(base64(flipped), one.call()))
                    .as("bit %s", bit)
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void noShorterOrLongerTextIsAccepted(Drawn one) {
        byte[] bytes = Base64.getUrlDecoder().decode(one.token());
        for (int length = 0; length < one.token().length(); length++) {
            assertThat(one.tokens().verify(one.token().substring(0, length), one.call()))
                    .isEmpty();
            assertThat(one.tokens().verify(one.token().substring(length + 1), one.call()))
                    .isEmpty();
        }
        for (int length = 0; length < bytes.length; length++) {
            assertThat(one.tokens().verify(base64(Arrays.copyOf(bytes, length)), one.call()))
                    .isEmpty();
        }
        for (String more : List.of("=", "A", " ", "\n", one.token())) {
            assertThat(one.tokens().verify(one.token() + more, one.call())).isEmpty();
            assertThat(one.tokens().verify(more + one.token(), one.call())).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("drawn")
    void noNoiseIsAccepted(Drawn one) {
        Random random = new Random(one.seed());
        for (int i = 0; i < 200; i++) {
            byte[] noise = new byte[random.nextInt(80)];
            random.nextBytes(noise);
            assertThat(one.tokens().verify(base64(noise), one.call())).isEmpty();
            assertThat(one.tokens().verify(new String(noise, StandardCharsets.UTF_8), one.call()))
                    .isEmpty();
        }
    }

    @Test
    void theSecretIsNotShownAndHasThirtyTwoBytes() {
        assertThat(Drawn.of(1).tokens()).hasToString("VerdictTokens[***]");
        assertThatThrownBy(() -> new VerdictTokens(new byte[16]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("16 bytes instead of 32");
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
