package org.pushbridge.sip;

/**
 * How calls treat the devices of one app.
 *
 * @param endPush whether the app says that it handles a VoIP push that ends a call
 * @param verdict how a device that wakes late learns over SIP what became of its call
 * @param pushWhenRingingElsewhere whether a sleeping device is pushed to while a connected device of its user rings
 * @param reason600 whether a call that was declined elsewhere is cancelled with cause 600 in its Reason instead of 603;
 *     apps on the Linphone SDK understand that
 */
public record AppRules(EndPush endPush, VerdictBy verdict, boolean pushWhenRingingElsewhere, boolean reason600) {
    /** For apps that the configuration says nothing of. */
    public static final AppRules DEFAULT = new AppRules(EndPush.OFF, VerdictBy.AUTO, true, false);

    /** Whether a call screen may be ended by a further VoIP push. */
    public enum EndPush {
        OFF,
        VOIP
    }

    /** The way a verdict takes over SIP. */
    public enum VerdictBy {
        /** Dialog events for an app that says it understands them, else INVITE and CANCEL. */
        AUTO,
        /** A NOTIFY with the state of its calls (RFC 4235), whatever the app says. */
        DIALOG_EVENTS,
        /** An INVITE that is cancelled at once, with the reason. */
        INVITE_CANCEL,
        /** None: the app asks over HTTPS. */
        NONE
    }
}
