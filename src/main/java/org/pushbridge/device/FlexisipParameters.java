package org.pushbridge.device;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rules behind {@link PushReading#ofFlexisip}. */
final class FlexisipParameters {
    private static final Pattern APP_ID =
            Pattern.compile("([A-Za-z0-9.-]{1,155}?)(?:\\.voip)?\\.(prod|dev)", Pattern.CASE_INSENSITIVE);

    private FlexisipParameters() {}

    static PushReading read(Optional<String> type, Optional<String> appId, Optional<String> token) {
        if (!type.orElse("").toLowerCase(Locale.ROOT).equals("apple")) {
            // Such an app knows no answer that says that its push service is not supported: it may stay, unpushed.
            return new PushReading.Absent();
        }
        Matcher app = APP_ID.matcher(
                appId.flatMap(PushParameters::unescaped).orElse("").strip());
        if (!app.matches()) {
            return new PushReading.Damaged("app-id must name the app and the push service, such as "
                    + "app-id=com.example.phone.voip.prod, or .dev for the sandbox");
        }
        if (token.isEmpty()) {
            return new PushReading.Damaged("pn-type=apple came without the device token, pn-tok");
        }
        Optional<String> spelled = PushParameters.unescaped(token.get());
        if (spelled.isEmpty()) {
            return new PushReading.Damaged("pn-tok holds a % that is not followed by two hexadecimal digits");
        }
        TokenReading reading = TokenReading.of(spelled.get());
        if (reading instanceof TokenReading.Damaged damaged) {
            return new PushReading.Damaged(damaged.fault());
        }
        Optional<PushToken> sound = Optional.of(((TokenReading.Sound) reading).token());
        return new PushReading.Target(
                app.group(2).equalsIgnoreCase("dev") ? ApnsEnvironment.SANDBOX : ApnsEnvironment.PRODUCTION,
                "",
                app.group(1),
                sound,
                Optional.empty());
    }
}
