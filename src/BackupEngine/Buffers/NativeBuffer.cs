using System.Buffers;
using System.Runtime.InteropServices;

namespace BackupEngine.Buffers;

/// <summary>
/// Memory outside the garbage collector's heap, aligned to pages: never moved, never scanned, and not taken from the system before it is touched.
/// Only its <see cref="BufferPool"/> frees it.
/// </summary>
internal sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private const int Alignment = 4096;
    private readonly int _length;
    private readonly BufferAccount _account = BufferAccount.Current;
    private byte* _pointer;

    public NativeBuffer(int length)
    {
        _length = length;
        _pointer = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
        _account.Add(length);
    }

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_pointer is null, this);
        return new Span<byte>(_pointer, _length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_pointer is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length);
        return new MemoryHandle(_pointer + elementIndex, pinnable: this);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (_pointer is null)
            return;
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
        _account.Add(-_length);
    }
}
