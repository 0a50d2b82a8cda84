package org.pushbridge.device;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The rules behind {@link PushReading#of}. */
final class PushParameters {
    private static final String VOIP = "voip";
    /** Linphone's name for alert and background pushes. */
    private static final String REGULAR = "remote";

    private PushParameters() {}

    static PushReading read(Optional<String> provider, Optional<String> param, Optional<String> prid) {
        String name = provider.orElse("").toLowerCase(Locale.ROOT);
        if (name.isEmpty()) {
            if (prid.isPresent()) {
                return new PushReading.Damaged("pn-prid came without pn-provider; an iPhone's is pn-provider=apns");
            }
            return provider.isEmpty() ? new PushReading.Absent() : new PushReading.Query(Optional.empty());
        }
        Optional<ApnsEnvironment> environment =
                switch (name) {
                    case "apns" -> Optional.of(ApnsEnvironment.PRODUCTION);
                    case "apns.dev" -> Optional.of(ApnsEnvironment.SANDBOX);
                    default -> Optional.empty();
                };
        if (environment.isEmpty()) {
            String shown = name.replaceAll("[^a-z0-9._-]", "");
            return new PushReading.Unsupported(shown.substring(0, Math.min(40, shown.length())));
        }
        if (prid.isEmpty()) {
            return new PushReading.Query(environment);
        }
        Optional<String> tokens = unescaped(prid.get());
        Optional<String> topic = unescaped(param.orElse(""));
        if (tokens.isEmpty() || topic.isEmpty()) {
            return new PushReading.Damaged(
                    "pn-param or pn-prid holds a % that is not followed by two hexadecimal digits");
        }
        Optional<Topic> read = Topic.read(topic.get());
        return read.isPresent()
                ? target(environment.get(), read.get(), tokens.get())
                : new PushReading.Damaged("pn-param must name the team and the app, such as "
                        + "pn-param=ABCDE12345.com.example.phone.voip");
    }

    private static PushReading target(ApnsEnvironment environment, Topic topic, String prid) {
        Map<String, PushToken> tokens = new HashMap<>();
        boolean named = false;
        for (String part : prid.split("&", -1)) {
            int colon = part.lastIndexOf(':');
            named |= colon >= 0;
            String service = colon >= 0
                    ? part.substring(colon + 1).strip().toLowerCase(Locale.ROOT)
                    : topic.onlyService().orElse("");
            if (!service.equals(VOIP) && !service.equals(REGULAR)) {
                return new PushReading.Damaged("It is not clear what each token in pn-prid is for; write "
                        + "pn-param=<team>.<bundle>.voip&remote with pn-prid=<token>:voip&<token>:remote");
            }
            TokenReading reading = TokenReading.of(colon >= 0 ? part.substring(0, colon) : part);
            if (reading instanceof TokenReading.Damaged damaged) {
                return new PushReading.Damaged(damaged.fault());
            }
            if (reading instanceof TokenReading.Sound sound && tokens.put(service, sound.token()) != null) {
                return new PushReading.Damaged("pn-prid holds two tokens for the same service");
            }
        }
        return new PushReading.Target(
                environment,
                topic.team(),
                topic.bundle(named),
                Optional.ofNullable(tokens.get(VOIP)),
                Optional.ofNullable(tokens.get(REGULAR)));
    }

    /**
     * Resolves percent-escapes (RFC 3261 section 25.1), each to one character below 256 so that raw bytes stay
     * recognizable; empty if one is broken.
     */
    static Optional<String> unescaped(String text) {
        if (text.indexOf('%') < 0) {
            return Optional.of(text);
        }
        StringBuilder resolved = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
                int low = high >= 0 ? Character.digit(text.charAt(i + 2), 16) : -1;
                if (low < 0) {
                    return Optional.empty();
                }
                c = (char) (high << 4 | low);
                i += 2;
            }
            resolved.append(c);
        }
        return Optional.of(resolved.toString());
    }

    /**
     * {@code pn-param}, taken apart: a team, and an app whose last segment may name services instead.
     *
     * @param services those that the last segment of the app names, if it names nothing else
     */
    private record Topic(String team, String app, List<String> services) {
        private static final int LONGEST_TEAM = 20;
        /** Apple's limit for a bundle identifier is 155; the rest is for the team and the services. */
        private static final int LONGEST = 190;

        /** Of the form {@code ABCDE12345.com.example.phone.voip&remote}; empty if it is not. */
        static Optional<Topic> read(String text) {
            int dot = text.indexOf('.');
            if (dot < 1
                    || dot > LONGEST_TEAM
                    || text.length() > LONGEST
                    || !isTeam(text, dot)
                    || !isApp(text, dot + 1)) {
                return Optional.empty();
            }
            String app = text.substring(dot + 1);
            Topic topic = new Topic(text.substring(0, dot), app, services(app));
            String bundle = topic.bundle(true);
            return bundle.isEmpty() || bundle.indexOf('&') >= 0 ? Optional.empty() : Optional.of(topic);
        }

        private static boolean isTeam(String text, int end) {
            for (int i = 0; i < end; i++) {
                if (!isAlphanumeric(text.charAt(i))) {
                    return false;
                }
            }
            return true;
        }

        /** Segments with dots between, the last one perhaps with a further service. */
        private static boolean isApp(String text, int from) {
            boolean begun = false;
            boolean further = false;
            for (int i = from; i < text.length(); i++) {
                char c = text.charAt(i);
                if ((isAlphanumeric(c) && !(further && c <= '9')) || (c == '-' && !further)) {
                    begun = true;
                } else if (begun && !further && (c == '.' || c == '&')) {
                    begun = false;
                    further = c == '&';
                } else {
                    return false;
                }
            }
            return begun;
        }

        private static boolean isAlphanumeric(char c) {
            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        }

        private static List<String> services(String app) {
            String last = app.substring(app.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
            List<String> named = List.of(last.split("&", -1));
            for (String service : named) {
                if (!service.equals(VOIP) && !service.equals(REGULAR)) {
                    return List.of();
                }
            }
            return named;
        }

        /** The service of a token without a name of its own, if there is no doubt. */
        Optional<String> onlyService() {
            if (services.size() > 1) {
                return Optional.empty();
            }
            return Optional.of(services.contains(VOIP) ? VOIP : REGULAR);
        }

        /**
         * The bundle identifier. A bundle may itself end in {@code .remote}: only beside named tokens is that the
         * name of a service.
         */
        String bundle(boolean tokensAreNamed) {
            boolean suffixed =
                    services.contains(VOIP) || services.size() > 1 || (tokensAreNamed && !services.isEmpty());
            return suffixed ? app.substring(0, Math.max(0, app.lastIndexOf('.'))) : app;
        }
    }
}
