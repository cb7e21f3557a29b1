namespace BackupEngine.Format;

/// <summary>Unsigned integers in 1 to 10 bytes: 7 bits each, lowest first, the high bit says that more follow (LEB128).</summary>
internal static class VarInt
{
    public const int MaxLength = 10;

    /// <summary>Writes a value; the destination must have room for <see cref="MaxLength"/> bytes.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> destination, ulong value)
    {
        int length = 0;
        while (value >= 0x80)
        {
            destination[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[length++] = (byte)value;
        return length;
    }

    /// <summary>Reads a value and moves <paramref name="source"/> past it.</summary>
    /// <returns>False when the source ends within the value, or the value has more than 64 bits.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        for (int index = 0; index < source.Length && index < MaxLength; index++)
        {
            byte part = source[index];
            if (index == MaxLength - 1 && part > 1)
                return false;
            value |= (ulong)(part & 0x7F) << (7 * index);
            if (part < 0x80)
            {
                source = source[(index + 1)..];
                return true;
            }
        }

        return false;
    }
}
