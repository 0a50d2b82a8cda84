package org.pushbridge.sim.apns;

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A provider on the JDK's own HTTP/2 client, which sends exactly what a test tells it to, right or wrong. */
final class Provider {
    private final SimulatedApns apns;
    private final HttpClient client;

    private Provider(SimulatedApns apns, KeyManager[] keyManagers) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("apns", apns.trustedCertificate());
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keyManagers, trust.getTrustManagers(), null);
        this.apns = apns;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_2)
                .sslContext(tls)
                .connectTimeout(Duration.ofSeconds(10))
                .build();
    }

    /** A provider with a connection pool of its own. */
    static Provider of(SimulatedApns apns) throws Exception {
        return new Provider(apns, new KeyManager[0]);
    }

    /** A provider that shows a client certificate. */
    static Provider of(SimulatedApns apns, ClientCertificate.Issued certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        char[] password = certificate.password().toCharArray();
        store.load(new ByteArrayInputStream(certificate.p12()), password);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        return new Provider(apns, keys.getKeyManagers());
    }

    HttpResponse<String> send(Push push) throws Exception {
        return client.send(push.request(apns), HttpResponse.BodyHandlers.ofString());
    }

    CompletableFuture<HttpResponse<String>> sendAsync(Push push) {
        return client.sendAsync(push.request(apns), HttpResponse.BodyHandlers.ofString());
    }

    /** The reason in an error answer, or nothing. */
    static String reason(HttpResponse<String> response) {
        return response.body().replaceAll(".*\"reason\":\"([^\"]*)\".*", "$1");
    }

    /** A provider token as RFC 7519 and Apple want it. */
    static String jwt(TeamKey key, Instant issuedAt) throws GeneralSecurityException {
        return jwt(
                key,
                "{\"alg\":\"ES256\",\"kid\":\"" + key.keyId() + "\"}",
                "{\"iss\":\"" + key.teamId() + "\",\"iat\":" + issuedAt.getEpochSecond() + "}");
    }

    /** Any header and claims, signed with a key. */
    static String jwt(TeamKey key, String header, String claims) throws GeneralSecurityException {
        String content =
                base64(header.getBytes(StandardCharsets.UTF_8)) + "." + base64(claims.getBytes(StandardCharsets.UTF_8));
        String pem = key.p8().replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        Signature signer = Signature.getInstance("SHA256withECDSAinP1363Format");
        signer.initSign(KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem))));
        signer.update(content.getBytes(StandardCharsets.US_ASCII));
        return content + "." + base64(signer.sign());
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** A request, built from a right one by changing what the test is about. */
    static final class Push {
        private Environment environment = Environment.PRODUCTION;
        private String method = "POST";
        private String path;
        private String body;
        private final Map<String, String[]> headers = new LinkedHashMap<>();

        private Push(String token, String body) {
            this.path = "/3/device/" + token;
            this.body = body;
            header("apns-id", UUID.randomUUID().toString());
        }

        static Push voip(String token, String bundleId, String callId) {
            return new Push(token, "{\"aps\":{},\"call-id\":\"" + callId + "\"}")
                    .header("apns-topic", bundleId + ".voip")
                    .header("apns-push-type", "voip")
                    .header("apns-priority", "10")
                    .header("apns-expiration", "0");
        }

        static Push alert(String token, String bundleId, Instant expiration) {
            return new Push(token, "{\"aps\":{\"alert\":{\"title\":\"Missed call\"}}}")
                    .header("apns-topic", bundleId)
                    .header("apns-push-type", "alert")
                    .header("apns-priority", "10")
                    .header("apns-expiration", Long.toString(expiration.getEpochSecond()))
                    .header("apns-collapse-id", "call-1");
        }

        static Push background(String token, String bundleId, Instant expiration) {
            return new Push(token, "{\"aps\":{\"content-available\":1}}")
                    .header("apns-topic", bundleId)
                    .header("apns-push-type", "background")
                    .header("apns-priority", "5")
                    .header("apns-expiration", Long.toString(expiration.getEpochSecond()))
                    .header("apns-collapse-id", "call-1");
        }

        Push to(Environment value) {
            environment = value;
            return this;
        }

        Push method(String value) {
            method = value;
            return this;
        }

        Push path(String value) {
            path = value;
            return this;
        }

        Push body(String value) {
            body = value;
            return this;
        }

        Push header(String name, String... values) {
            headers.put(name, values);
            return this;
        }

        Push without(String name) {
            headers.remove(name);
            return this;
        }

        Push jwt(String token) {
            return header("authorization", "bearer " + token);
        }

        String id() {
            return headers.getOrDefault("apns-id", new String[] {""})[0];
        }

        String method() {
            return method;
        }

        String path() {
            return path;
        }

        String body() {
            return body;
        }

        Map<String, String[]> headers() {
            return headers;
        }

        private HttpRequest request(SimulatedApns apns) {
            HttpRequest.Builder builder = HttpRequest.newBuilder(
                            URI.create("https://" + apns.host() + ":" + apns.port(environment) + path))
                    .timeout(Duration.ofSeconds(20))
                    .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
            headers.forEach((name, values) -> {
                for (String value : values) {
                    builder.header(name, value);
                }
            });
            return builder.build();
        }
    }
}
