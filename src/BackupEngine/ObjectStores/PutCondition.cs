namespace BackupEngine.ObjectStores;

/// <summary>Whether a put may replace an object. The store decides it, in one step with the put: nothing comes in between.</summary>
public readonly record struct PutCondition
{
    /// <summary>Stores the object, in place of any that has its key.</summary>
    public static PutCondition None => default;

    /// <summary>Stores the object only when its key is free; else the put fails with <see cref="ObjectStoreError.AlreadyExists"/>.</summary>
    public static PutCondition IfAbsent { get; } = new() { IsAbsent = true };

    /// <summary>The most bytes that an object may have which is replaced only if it is unchanged: 16 MiB. Stores read it to compare.</summary>
    public const int MaxExpectedBytes = 16 << 20;

    /// <summary>
    /// Gets a condition that no object meets: the put must fail with <see cref="ObjectStoreError.Changed"/>. It shows whether a store honours conditions, so a store that
    /// compares an object itself before it asks its server leaves this decision to the server. Stores that know only <see cref="Expected"/> treat it as any other
    /// expectation that is not met. The content that is put must do no harm at its key, because a store that ignores the condition stores it.
    /// </summary>
    public static PutCondition Mismatch => new() { Expected = Guid.NewGuid().ToByteArray(), IsMismatch = true };

    /// <summary>Gets a value that indicates whether the condition is <see cref="Mismatch"/>.</summary>
    public bool IsMismatch { get; private init; }

    /// <summary>Whether the key must be free.</summary>
    public bool IsAbsent { get; private init; }

    /// <summary>The bytes of the object that must be there; null when it does not matter.</summary>
    public ReadOnlyMemory<byte>? Expected { get; private init; }

    /// <summary>
    /// Stores the object only in place of one that has exactly these bytes; else the put fails with <see cref="ObjectStoreError.Changed"/>. So does one that the store
    /// carries out late, after its writer has given up, when the object was changed or deleted since.
    /// </summary>
    /// <param name="content">The bytes, as they were read: one to <see cref="MaxExpectedBytes"/>. Must not change until the put ends.</param>
    /// <exception cref="ArgumentException">There are none, or too many.</exception>
    public static PutCondition IfUnchanged(ReadOnlyMemory<byte> content) => content.Length is > 0 and <= MaxExpectedBytes
        ? new() { Expected = content }
        : throw new ArgumentException($"An object can be compared that has 1 to {MaxExpectedBytes} bytes, not {content.Length}.", nameof(content));
}
