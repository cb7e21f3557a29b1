namespace BackupEngine.Service;

/// <summary>How callers of the service prove who they are.</summary>
public enum AuthMode
{
    /// <summary>Not at all: tokens <c>user:project</c> are believed. For development, on loopback addresses only.</summary>
    NoAuth,

    /// <summary>Fixed tokens of the configuration.</summary>
    Tokens,

    /// <summary>Tokens of OpenStack's identity service.</summary>
    Keystone,
}
