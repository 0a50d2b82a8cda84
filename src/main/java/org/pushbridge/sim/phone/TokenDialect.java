package org.pushbridge.sim.phone;

import java.util.Locale;
import java.util.Map;

/** How an app passes its tokens on in its REGISTER. */
public enum TokenDialect {
    /** RFC 8599 section 4.1; a second token, for which the RFC has no word, is added as Linphone does. */
    RFC_8599 {
        @Override
        String uriParameters(IphoneSettings phone) {
            return phone.remoteToken()
                    .map(remote -> parameters(phone, ".voip&remote", phone.voipToken() + ":voip&" + remote + ":remote"))
                    .orElse(parameters(phone, ".voip", phone.voipToken()));
        }
    },
    /** Linphone's SDK, which writes tokens in upper case. */
    LINPHONE {
        @Override
        String uriParameters(IphoneSettings phone) {
            return parameters(phone, ".voip&remote", upper(phone) + ":voip" + upperRemote(phone, "&", ""));
        }
    },
    /** The same with the tokens in the other order. */
    LINPHONE_REMOTE_FIRST {
        @Override
        String uriParameters(IphoneSettings phone) {
            return parameters(phone, ".voip&remote", upperRemote(phone, "", "&") + upper(phone) + ":voip");
        }
    },
    /** Linphone before RFC 8599; it has one token only, and says in its app-id that this is one for VoIP. */
    OLD_LINPHONE {
        @Override
        String uriParameters(IphoneSettings phone) {
            return ";pn-type=apple;app-id=" + phone.bundleId() + ".voip.prod;pn-tok=" + phone.voipToken();
        }
    },
    /** PortSIP: a header beside the Contact. */
    PORTSIP {
        @Override
        String uriParameters(IphoneSettings phone) {
            return "";
        }

        @Override
        Map<String, String> headers(IphoneSettings phone) {
            return Map.of(
                    "x-p-push",
                    "device-os=ios;device-uid=" + phone.voipToken()
                            + phone.remoteToken().map(remote -> "|" + remote).orElse("")
                            + ";allow-call-push=true;allow-message-push=true;app-id=" + phone.bundleId());
        }
    };

    /** What stands behind the Contact's URI. */
    abstract String uriParameters(IphoneSettings phone);

    /** What stands in other headers of the REGISTER. */
    Map<String, String> headers(IphoneSettings phone) {
        return Map.of();
    }

    private static String parameters(IphoneSettings phone, String services, String tokens) {
        return ";pn-provider=apns;pn-param=" + phone.teamId() + "." + phone.bundleId() + services + ";pn-prid="
                + tokens;
    }

    private static String upper(IphoneSettings phone) {
        return phone.voipToken().toUpperCase(Locale.ROOT);
    }

    private static String upperRemote(IphoneSettings phone, String before, String after) {
        return phone.remoteToken()
                .map(remote -> before + remote.toUpperCase(Locale.ROOT) + ":remote" + after)
                .orElse("");
    }
}
