namespace Roster.Core.Schema;

/// <summary>Properties of records that messages are sent to (ACT-12, ACT-42).</summary>
public static class MessageProperties
{
    /// <summary>The e-mail address.</summary>
    public const string Email = "email";

    /// <summary>The number for SMS and WhatsApp.</summary>
    public const string Phone = "phone";

    /// <summary>True when an e-mail to the address has bounced for good: none is sent any more.</summary>
    public const string HardBounced = "email_hard_bounced";

    /// <summary>False when the record is no marketing contact: it gets no marketing e-mail.</summary>
    public const string MarketingContact = "marketing_contact";

    /// <summary>The campaign that the record is associated with.</summary>
    public const string Campaign = "campaign";
}
