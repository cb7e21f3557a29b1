using System.Buffers;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>Memory that is no array: code that secretly expects one fails on it.</summary>
public sealed unsafe class NativeMemory(int length) : MemoryManager<byte>
{
    private byte* _start = (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed((nuint)Math.Max(1, length));

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return new Span<byte>(_start, length);
    }

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        System.Runtime.InteropServices.NativeMemory.Free(_start);
        _start = null;
    }
}
