namespace BackupEngine.TestKit.ObjectStores;

/// <summary>How a call to a store goes wrong.</summary>
public enum StoreFault
{
    /// <summary>The call fails and does nothing.</summary>
    ErrorBefore,

    /// <summary>The call does its work and then fails.</summary>
    ErrorAfter,

    /// <summary>The call fails; what it was to do happens later, when nobody waits for it any more.</summary>
    Timeout,

    /// <summary>A read gets fewer bytes than there are.</summary>
    TruncatedRead,

    /// <summary>A read gets one bit wrong.</summary>
    FlippedBit,
}
