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
    private readonly bool _isAligned;
    private byte* _pointer;

    public NativeBuffer(int length)
        : this(length, (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment), isAligned: true)
    {
    }

    private NativeBuffer(int length, byte* pointer, bool isAligned)
    {
        _length = length;
        _pointer = pointer;
        _isAligned = isAligned;
        _account.Add(length);
    }

    /// <summary>A buffer full of zeros, which take no memory before something is written beside them; not aligned to pages.</summary>
    public static NativeBuffer CreateZeroed(int length) => new(length, (byte*)NativeMemory.AllocZeroed((nuint)length), isAligned: false);

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
        if (_isAligned)
            NativeMemory.AlignedFree(_pointer);
        else
            NativeMemory.Free(_pointer);
        _pointer = null;
        _account.Add(-_length);
    }
}
